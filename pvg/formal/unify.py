"""Matching and unifying syntax trees: most general unifiers (Robinson 1965), with types and the occurs check.

A substitution is a dictionary from variables to trees.  That of :func:`unify` is triangular: its trees may hold
variables that it replaces too, and :func:`substitute` follows them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pvg.formal.grammar import Tree

Substitution = dict[str, Tree]


def match(pattern: Tree, tree: Tree, found: Substitution, type_of: Callable[[Tree], str]) -> bool:
    """Extend ``found`` so that the pattern becomes the tree, whose variables stay as they are.

    Returns:
        whether that is possible; if not, ``found`` may have grown all the same.
    """
    todo = [(pattern, tree)]
    while todo:
        left, right = todo.pop()
        if not isinstance(left, tuple):
            if left in found:
                if found[left] != right:
                    return False
            elif type_of(left) != type_of(right):
                return False
            else:
                found[left] = right
        elif not isinstance(right, tuple) or left[0] != right[0]:
            return False
        else:
            todo += zip(left[1:], right[1:])
    return True


def unify(left: Tree, right: Tree, found: Substitution, type_of: Callable[[Tree], str]) -> bool:
    """Extend the triangular substitution ``found`` to a most general one that makes both trees the same.

    Returns:
        whether there is one; if not, ``found`` may have grown all the same.
    """
    todo = [(left, right)]
    while todo:
        one, other = todo.pop()
        while not isinstance(one, tuple) and one in found:
            one = found[one]
        while not isinstance(other, tuple) and other in found:
            other = found[other]
        if one == other:
            continue
        if isinstance(one, tuple) and isinstance(other, tuple):
            if one[0] != other[0]:
                return False
            todo += zip(one[1:], other[1:])
            continue
        if isinstance(one, tuple):
            one, other = other, one
        assert isinstance(one, str)
        if type_of(one) != type_of(other) or _occurs(one, other, found):
            return False
        found[one] = other
    return True


def _occurs(variable: str, tree: Tree, found: Mapping[str, Tree]) -> bool:
    todo, seen = [tree], set()
    while todo:
        one = todo.pop()
        if isinstance(one, tuple):
            todo += one[1:]
        elif one == variable:
            return True
        elif one in found and one not in seen:
            seen.add(one)
            todo.append(found[one])
    return False


def substitute(tree: Tree, found: Mapping[str, Tree]) -> Tree:
    """The tree with its variables replaced, and those of what replaces them."""
    if isinstance(tree, tuple):
        return (tree[0], *[substitute(child, found) for child in tree[1:]])
    return substitute(found[tree], found) if tree in found else tree


def replace(tree: Tree, found: Mapping[str, Tree]) -> Tree:
    """The tree with all its variables replaced at once, as in a step of a proof."""
    if isinstance(tree, tuple):
        return (tree[0], *[replace(child, found) for child in tree[1:]])
    return found.get(tree, tree)


def variables(tree: Tree) -> dict[str, None]:
    """The variables of a tree in order of first occurrence."""
    found: dict[str, None] = {}
    todo = [tree]
    while todo:
        one = todo.pop()
        if isinstance(one, tuple):
            todo += reversed(one[1:])
        else:
            found[one] = None
    return found
