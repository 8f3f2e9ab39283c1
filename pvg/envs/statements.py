"""Statements up to renaming and what follows from them: unification over a database, remembered across games.

A statement is a scheme: its variables may be replaced in each use.  Condensed detachment (Meredith; Kalman 1983) finds
the most general statement that an assertion and statements for its hypotheses give; so no text is decoded, and each
step is one of Metamath.  The variables of a goal are constants here (*rigid*), and so are those of its hypotheses.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator
from enum import IntEnum
from itertools import product
from typing import NamedTuple

import numpy as np

from pvg.errors import UserError
from pvg.formal.database import Assertion, Database
from pvg.formal.grammar import Grammar, Tree
from pvg.formal.unify import Substitution, replace, unify, variables

PROVED, UNPROVED = 1, 2  # numbers that stand where a goal's would, for generators that are told what to make
MARKS = 2
NAMES = 8  # variables, and rigid ones, that a network can tell apart; later ones look like the last
POSITIONS = 32  # places of a tree that it can tell apart: those of the first five levels, and all below
FORGET = 400_000  # statements after which a library starts anew
Pairs = frozenset[tuple[str, str]]


class Rejection(IntEnum):
    """Why there is no new statement."""

    NO_UNIFIER = -1
    TOO_LONG = -2
    DISTINCT = -3  # it would break a distinct-variable condition
    DUPLICATE = -4  # proved, or a candidate, already
    BUDGET = -5  # more candidates than are kept
    NO_CANDIDATE = -6  # nothing is left to choose
    NOT_CITED = -7  # it takes an assertion that may not be cited


class Rule(NamedTuple):
    """An assertion as a step uses it; ``place`` counts citable assertions in the order of the database."""

    place: int
    label: str
    order: int
    hypotheses: tuple[Tree, ...]
    conclusion: Tree
    disjoint: Pairs


class Library:
    """The assertions of a database, and all statements met so far, each with a number; 0 is none.

    Args:
        database, grammar: of them.
        held_out: labels that nothing may cite.
        longest: tokens that a statement may have, in prefix notation.
        until: the last label of the database that counts.
        premises: assertions with more hypotheses are not cited: what they can be used for grows with that power of
            what is proved.

    Attributes:
        rules: the assertions that may be cited.
        codes: int16 ``[statements, longest]``, token and place of each symbol, 0 behind the end.
        calls: unifications asked for; those answered from memory count too, so that it measures the same work in
            every run.
        computed: those that were not remembered.
        generation: how often it has started anew.
    """

    def __init__(
        self,
        database: Database,
        grammar: Grammar,
        held_out: Collection[str] = (),
        longest: int = 28,
        until: str | None = None,
        premises: int = 2,
    ):
        self.database, self.grammar, self.longest = database, grammar, longest
        if until is not None and until not in database.labels:
            raise UserError(f"env.until={until}: the database has no statement of this label.")
        last = len(database.labels) if until is None else database.labels[until].order
        self.assertions = [
            a for a in database.assertions if a.typecode == grammar.provable and a.order <= last
        ]
        cited = [
            a for a in self.assertions if a.label not in frozenset(held_out) and len(a.essential) <= premises
        ]
        self.rules = [self._rule(k, a) for k, a in enumerate(cited)]
        self.by_label = {rule.label: rule for rule in self.rules}
        self.orders = [rule.order for rule in self.rules]
        self.tokens = {label: k for k, label in enumerate(grammar.axioms)}
        self.vocabulary = len(self.tokens) + 2 * NAMES + MARKS
        self.schemes = [self._scheme(rule) for rule in self.rules]
        self.calls = self.computed = self.generation = 0
        self._clear()

    def _clear(self) -> None:
        self.trees: list[Tree] = [""] * (1 + MARKS)
        self.apart: list[Pairs] = [frozenset()] * (1 + MARKS)
        self.numbers: dict[tuple[Tree, Pairs], int] = {}
        self.codes = np.zeros((1024, self.longest), np.int16)
        for mark in (PROVED, UNPROVED):
            self.codes[mark, 0] = 1 + (self.vocabulary - mark) * POSITIONS
        self.sizes: list[int] = [0] * (1 + MARKS)
        self._results: dict[tuple[int, ...], int] = {}
        self._partial: dict[tuple[int, ...], Substitution | None] = {}
        self._renamed: dict[tuple[int, int], Tree] = {}
        self._fits: dict[int, tuple[list[tuple[Rule, int]], frozenset[tuple[int, int]]]] = {}
        self.closed = [self._close(rule) for rule in self.rules if not rule.hypotheses]

    def forget(self) -> None:
        """Start anew if there is too much; the numbers of statements have no meaning afterwards."""
        if len(self.trees) > FORGET:
            self.generation += 1
            self._clear()

    def _rule(self, place: int, assertion: Assertion) -> Rule:
        parse = self.grammar.statement
        hypotheses = tuple(parse(h.statement) for h in assertion.essential)
        return Rule(
            place,
            assertion.label,
            assertion.order,
            hypotheses,
            parse(assertion.statement),
            assertion.disjoint,
        )

    def _scheme(self, rule: Rule) -> tuple[Tree, ...]:
        """Conclusion and hypotheses of a rule, with variables that are named by their type."""
        trees = (rule.conclusion, *rule.hypotheses)
        names: Substitution = {}
        for name in dict.fromkeys(v for tree in trees for v in variables(tree)):
            names[name] = f"{self.type_of(name)}{len(names)}"
        return tuple(replace(tree, names) for tree in trees)

    def _close(self, rule: Rule) -> tuple[Rule, int]:
        return rule, self.apply(rule, ())

    def limit(self, order: int | None) -> int:
        """How many rules come before a place of the database; all for None."""
        return len(self.rules) if order is None else bisect_left(self.orders, order)

    def type_of(self, tree: Tree) -> str:
        """The typecode of a tree; names of variables and rigid ones begin with it, but those of the database."""
        if isinstance(tree, tuple):
            axiom = self.grammar.axioms.get(tree[0])
            return tree[0][0] if axiom is None else axiom.typecode
        return tree[0] if len(tree) > 1 else self.grammar.types[tree]

    # ------------------------------------------------------------------ statements
    def number(self, tree: Tree, apart: Pairs = frozenset()) -> int:
        """The number of a statement, or why it can't have one; ``apart`` are its distinct variables."""
        names: Substitution = {}
        codes: list[int] = []
        try:
            canonical = self._canonical(tree, {}, names, codes, 0)
        except OverflowError:
            return Rejection.TOO_LONG
        if apart:
            apart = frozenset(
                ordered(_named(names, a), _named(names, b)) for a, b in apart if _stays(names, a, b)
            )
        return self._intern(canonical, apart, codes)

    def _intern(self, tree: Tree, apart: Pairs, codes: list[int]) -> int:
        key = (tree, apart)
        known = self.numbers.get(key)
        if known is None:
            known = self.numbers[key] = len(self.trees)
            self.trees.append(tree)
            self.apart.append(apart)
            self.sizes.append(len(codes))
            if known == len(self.codes):
                self.codes = np.concatenate([self.codes, np.zeros_like(self.codes)])
            self.codes[known, : len(codes)] = codes
        return known

    def _canonical(
        self, tree: Tree, found: Substitution, names: Substitution, codes: list[int], place: int
    ) -> Tree:
        """The tree with ``found`` put in and variables renamed in the order in which they come; ``codes`` grows.

        Raises:
            OverflowError: it is too long.
        """
        while not isinstance(tree, tuple):
            if tree not in found:
                name = names.get(tree)
                if name is None:
                    name = names[tree] = f"{self.type_of(tree)}{len(names)}"
                token = len(self.tokens) + min(int(str(name)[1:]), NAMES - 1)
                self._code(codes, token, place)
                return name
            tree = found[tree]
        token = self.tokens.get(tree[0], -1)
        if token < 0:  # rigid
            token = len(self.tokens) + NAMES + min(int(tree[0][2:]), NAMES - 1)
        self._code(codes, token, place)
        below, inside = min(2 * place + 1, POSITIONS - 1), [tree[0]]
        for child in tree[1:]:
            inside.append(self._canonical(child, found, names, codes, below))
            below = min(2 * place + 2, POSITIONS - 1)
        return tuple(inside)

    def _code(self, codes: list[int], token: int, place: int) -> None:
        if len(codes) == self.longest:
            raise OverflowError
        codes.append(1 + token * POSITIONS + place)

    def renamed(self, number: int, k: int) -> Tree:
        """A statement with variables that no rule and no premise of another place has."""
        if not k:
            return self.trees[number]
        key = (number, k)
        known = self._renamed.get(key)
        if known is None:
            known = self._renamed[key] = mark(self.trees[number], "'" * k)
        return known

    def key(self, number: int) -> str:
        """A statement as text, the same in every library of the database."""
        return f"{text(self.trees[number])} {sorted(self.apart[number]) or ''}".strip()

    # ------------------------------------------------------------------ steps
    def fits(self, number: int) -> tuple[list[tuple[Rule, int]], frozenset[tuple[int, int]]]:
        """Rules, and which of their hypotheses, that a statement alone could be used for; also as a set of numbers."""
        known = self._fits.get(number)
        if known is None:
            tree, head = self.trees[number], _head(self.trees[number])
            found = [
                (rule, place)
                for rule in self.rules
                for place, hypothesis in enumerate(rule.hypotheses)
                if (_head(hypothesis) in ("", head) or not head) and unify(hypothesis, tree, {}, self.type_of)
            ]
            known = self._fits[number] = found, frozenset((rule.place, place) for rule, place in found)
        return known

    def apply(self, rule: Rule, premises: tuple[int, ...]) -> int:
        """The number of the most general statement that a rule proves from these, or why there is none."""
        self.calls += 1
        key = (rule.place, *premises)
        known = self._results.get(key)
        if known is None:
            self.computed += 1
            known = self._results[key] = self._apply(rule, premises)
        return known

    def unifier(self, rule: Rule, premises: tuple[int, ...]) -> Substitution | None:
        """The most general unifier of the first hypotheses with these statements, triangular; None if none."""
        if not premises:
            return {}
        key = (rule.place, *premises)
        if key in self._partial:
            return self._partial[key]
        before = self.unifier(rule, premises[:-1])
        found = None
        if before is not None:
            found = dict(before)
            k = len(premises) - 1
            if not unify(rule.hypotheses[k], self.renamed(premises[k], k), found, self.type_of):
                found = None
        if len(premises) < len(rule.hypotheses):
            self._partial[key] = found
        return found

    def _apply(self, rule: Rule, premises: tuple[int, ...]) -> int:
        found = self.unifier(rule, premises)
        if found is None:
            return Rejection.NO_UNIFIER
        if _size(rule.conclusion, found, {}) > self.longest:
            return Rejection.TOO_LONG
        names: Substitution = {}
        codes: list[int] = []
        tree = self._canonical(rule.conclusion, found, names, codes, 0)
        apart: Pairs = frozenset()
        conditions = self.conditions(rule, premises)
        if conditions:
            kept = separated(conditions, found)
            if kept is None:
                return Rejection.DISTINCT
            apart = frozenset(
                ordered(_named(names, a), _named(names, b)) for a, b in kept if _stays(names, a, b)
            )
        return self._intern(tree, apart, codes)

    def names(self, rule: Rule, premises: tuple[int, ...]) -> Substitution:
        """Of a step's conclusion, the canonical names of the variables that its unifier leaves."""
        names: Substitution = {}
        self._canonical(rule.conclusion, self.unifier(rule, premises) or {}, names, [], 0)
        return names

    def conditions(self, rule: Rule, premises: tuple[int, ...]) -> list[tuple[str, str]]:
        """Pairs of variables that a step keeps distinct: the rule's, and those of its premises, renamed."""
        pairs = list(rule.disjoint)
        for k, premise in enumerate(premises):
            for one, other in self.apart[premise]:
                pairs.append((_marked(one, k), _marked(other, k)))
        return pairs


def separated(conditions: Collection[tuple[str, str]], found: Substitution) -> set[tuple[str, str]] | None:
    """The pairs of variables and rigid names that must be distinct so that the conditions hold; None: they can't."""
    kept = set()
    for one, other in conditions:
        for pair in product(set(leaves(one, found)), set(leaves(other, found))):
            if pair[0] == pair[1]:
                return None
            kept.add(ordered(*pair))
    return kept


def _size(tree: Tree, found: Substitution, known: dict[str, int]) -> int:
    """Symbols of a tree with ``found`` put in; each variable is followed once."""
    if isinstance(tree, tuple):
        total = 1
        for child in tree[1:]:
            total += _size(child, found, known)
        return total
    size = known.get(tree)
    if size is None:
        size = known[tree] = _size(found[tree], found, known) if tree in found else 1
    return size


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


def mark(tree: Tree, suffix: str) -> Tree:
    """The tree with a suffix on each variable."""
    if isinstance(tree, tuple):
        return (tree[0], *[mark(child, suffix) for child in tree[1:]])
    return tree + suffix


def text(tree: Tree) -> str:
    """A tree in prefix notation."""
    return tree if isinstance(tree, str) else " ".join([tree[0], *map(text, tree[1:])])


def _marked(name: str, k: int) -> str:
    return name if is_rigid(name) else name + "'" * k


def _named(names: Substitution, name: str) -> str:
    return name if is_rigid(name) else str(names[name])


def _stays(names: Substitution, one: str, other: str) -> bool:
    return all(is_rigid(name) or name in names for name in (one, other))


def _head(tree: Tree) -> str:
    return tree[0] if isinstance(tree, tuple) else ""
