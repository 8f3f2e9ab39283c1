"""Statements as trees with variables to be replaced, rigid names, which are not, and pairs that must stay distinct."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import product

from pvg.formal.grammar import Tree
from pvg.formal.unify import Substitution

Pairs = frozenset[tuple[str, str]]


def separated(conditions: Collection[tuple[str, str]], found: Substitution) -> set[tuple[str, str]] | None:
    """The pairs of variables and rigid names that must be distinct so that the conditions hold; None: they can't."""
    kept = set()
    for one, other in conditions:
        for pair in product(set(leaves(one, found)), set(leaves(other, found))):
            if pair[0] == pair[1]:
                return None
            kept.add(ordered(*pair))
    return kept


def leaves(tree: Tree, found: Substitution) -> Iterator[str]:
    """The variables and rigid names of a tree with ``found`` put in, with repetitions.

    A condition's name of a rigid variable is its label, which no substitution replaces.
    """
    todo = [tree]
    while todo:
        one = todo.pop()
        if isinstance(one, tuple):
            if len(one) == 1 and is_rigid(one[0]):
                yield one[0]
            todo += one[1:]
        elif one in found:
            todo.append(found[one])
        else:
            yield one


def ordered(one: str, other: str) -> tuple[str, str]:
    """A pair in sorted order."""
    return (one, other) if one < other else (other, one)


def is_rigid(name: str) -> bool:
    """Whether it names a variable of a goal."""
    return name[1:2] == "!"


def rigid(tree: Tree, names: dict[str, Tree], type_of) -> Tree:
    """The tree with its variables made constants; ``names`` grows."""
    if isinstance(tree, tuple):
        return (tree[0], *[rigid(child, names, type_of) for child in tree[1:]])
    if tree not in names:
        names[tree] = (f"{type_of(tree)}!{len(names)}",)
    return names[tree]


def with_suffix(tree: Tree, suffix: str) -> Tree:
    """The tree with a suffix on each variable."""
    if isinstance(tree, tuple):
        return (tree[0], *[with_suffix(child, suffix) for child in tree[1:]])
    return tree + suffix


def text(tree: Tree) -> str:
    """A tree in prefix notation."""
    return tree if isinstance(tree, str) else " ".join([tree[0], *map(text, tree[1:])])


def at_place(name: str, k: int) -> str:
    """The name that a variable of the statement at place ``k`` of the premises has in a unifier."""
    return name if is_rigid(name) else name + "'" * k


def renamed(pairs: Collection[tuple[str, str]], names: dict[str, str]) -> Pairs:
    """Pairs under other names, without those of which one is gone; rigid names stay."""
    show = [tuple(name if is_rigid(name) else names.get(name, "") for name in pair) for pair in pairs]
    return frozenset(ordered(one, other) for one, other in show if one and other)
