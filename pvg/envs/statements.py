"""Statements up to renaming and what follows from them: unification over a database, remembered across games.

A statement is a scheme: its variables may be replaced in each use.  Condensed detachment (Meredith; Kalman 1983) finds
the most general statement that an assertion and statements for its hypotheses give; so no text is decoded, and each
step is one of Metamath.  The variables of a goal are constants here (*rigid*), and so are those of its hypotheses.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from enum import IntEnum
from functools import lru_cache, partial
from itertools import product

import numpy as np

from pvg.envs.inference import Rule, rule_of
from pvg.envs.schemes import Pairs, at_place, renamed, text, with_suffix
from pvg.envs.subgoals import Steps
from pvg.envs.terms import NAMES, POSITIONS, Alphabet, Overflow
from pvg.errors import UserError
from pvg.formal.database import Database
from pvg.formal.grammar import Grammar, Tree
from pvg.formal.unify import Substitution, substitute, unify, variables

PROVED, UNPROVED = 1, 2  # numbers that stand where a goal's would, for generators that are told what to make
TOKENS = 2
FORGET = 400_000  # statements after which a library starts anew
GOALS = 1000  # whose steps are remembered


class Rejection(IntEnum):
    """Why there is no new statement."""

    NO_UNIFIER = -1
    TOO_LONG = -2
    DISTINCT = -3  # it would break a distinct-variable condition
    DUPLICATE = -4  # proved, or a candidate, already
    BUDGET = -5  # more candidates than are kept
    NO_CANDIDATE = -6  # nothing is left to choose
    NOT_CITED = -7  # it takes an assertion that may not be cited


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
        alphabet: in which statements are written here.
        texts: of the statements.
        closed: the rules without hypotheses and what they state.
        calls: unifications asked for; those answered from memory count too, so that it measures the same work in
            every run.
        computed: those that were not remembered.
        generation: how often it has started anew.
        steps: to a goal that is written in the alphabet, with so many rules: see ``Steps``.
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
        self.rules = [rule_of(grammar, k, a) for k, a in enumerate(cited)]
        self.by_label = {rule.label: rule for rule in self.rules}
        self.orders = [rule.order for rule in self.rules]
        self.vocabulary = len(grammar.axioms) + 2 * NAMES + TOKENS
        self.schemes = [rule.scheme(self.type_of) for rule in self.rules]
        widest = max((len(rule.variables()) for rule in self.rules), default=0)
        self.alphabet = Alphabet(grammar, max(longest, widest), 2 + premises)
        self.patterns = [rule.pattern(self.alphabet, 1 + premises) for rule in self.rules]
        self.calls = self.computed = self.generation = 0
        self._clear()

    def _clear(self) -> None:
        self.texts = [""] * (1 + TOKENS)
        self.apart: list[Pairs] = [frozenset()] * (1 + TOKENS)
        self.numbers: dict[tuple[str, Pairs], int] = {}
        self._codes = np.zeros((1024, self.longest), np.int32)
        self._coded = len(self.texts)
        for token in (PROVED, UNPROVED):
            self._codes[token, 0] = 1 + (self.vocabulary - token) * POSITIONS
        self._trees: dict[int, Tree] = {}
        self._results: dict[tuple[int, ...], int] = {}
        self._partial: dict[tuple[int, ...], list[str] | None] = {}
        self._heads: dict[str, np.ndarray] = {}
        self._copies: dict[tuple[int, int], str] = {}
        self.steps = lru_cache(GOALS)(partial(Steps, self))
        self._fits: dict[int, tuple[list[tuple[Rule, int]], frozenset[tuple[int, int]]]] = {}
        self.closed = [(rule, self.apply(rule, ())) for rule in self.rules if not rule.hypotheses]

    def forget(self) -> None:
        """Start anew if there is too much; the numbers of statements have no meaning afterwards."""
        if len(self.texts) > FORGET:
            self.generation += 1
            self._clear()

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
        names: dict[str, str] = {}
        try:
            text = self.alphabet.write(tree, names, longest=self.longest)
        except Overflow:
            return Rejection.TOO_LONG
        show = {old: self.alphabet.name(code) for old, code in names.items()}
        return self._intern(text, renamed(apart, show))

    def _intern(self, text: str, apart: Pairs) -> int:
        key = (text, apart)
        known = self.numbers.get(key)
        if known is None:
            known = self.numbers[key] = len(self.texts)
            self.texts.append(text)
            self.apart.append(apart)
        return known

    def tree(self, number: int) -> Tree:
        """A statement as a tree, with variables that are named by their type and numbered as they come."""
        known = self._trees.get(number)
        if known is None:
            known = self._trees[number] = self.alphabet.read(self.texts[number])
        return known

    def codes(self, numbers: np.ndarray) -> np.ndarray:
        """Of statements ``[n]``, token and place of each symbol: int32 ``[n, longest]``, 0 behind the end."""
        many = len(self.texts)
        if many > len(self._codes):
            more = np.zeros((max(many, 2 * len(self._codes)), self.longest), np.int32)
            more[: self._coded] = self._codes[: self._coded]
            self._codes = more
        if many > self._coded:
            self._codes[self._coded : many] = self.alphabet.codes(self.texts[self._coded :], self.longest)
            self._coded = many
        return self._codes[numbers]

    def heads(self, numbers: Sequence[int]) -> np.ndarray:
        """Of statements, the symbols at their uppermost places: int16 ``[n, HEADS]``."""
        return self.alphabet.uppermost(self.codes(np.asarray(numbers)))

    def heads_of(self, terms: Sequence[str]) -> np.ndarray:
        """The same of any terms, which are remembered."""
        new = [term for term in dict.fromkeys(terms) if term not in self._heads]
        if new:
            self._heads |= zip(new, self.alphabet.heads(new, self.longest))
        return np.stack([self._heads[term] for term in terms])

    def copy(self, number: int, k: int) -> str:
        """A statement with variables that no rule and no premise of another place has."""
        key = (number, k)
        known = self._copies.get(key)
        if known is None:
            known = self._copies[key] = self.alphabet.copy(self.texts[number], 1 + k)
        return known

    def key(self, number: int) -> str:
        """A statement as text, the same in every library of the database."""
        return f"{text(self.tree(number))} {sorted(self.apart[number]) or ''}".strip()

    # ------------------------------------------------------------------ steps
    def fits(self, number: int) -> tuple[list[tuple[Rule, int]], frozenset[tuple[int, int]]]:
        """Rules, and which of their hypotheses, that a statement alone could be used for; also as a set of numbers."""
        known = self._fits.get(number)
        if known is None:
            one = self.copy(number, 0)
            found = [
                (rule, place)
                for rule in self.rules
                for place in range(len(rule.hypotheses))
                if self.alphabet.unified(self.patterns[rule.place][place], one) is not None
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

    def _unified(self, rule: Rule, premises: tuple[int, ...]) -> list[str] | None:
        """Under the most general unifier of the first hypotheses with these: the other hypotheses, the conclusion, and
        the variables that have conditions: the rule's, and those of each premise; None if there is no unifier.
        """
        if not premises:
            return self.patterns[rule.place]
        key = (rule.place, *premises)
        if key in self._partial:
            return self._partial[key]
        found = self._unified(rule, premises[:-1])
        if found is not None:
            newest, k = premises[-1], len(premises) - 1
            others = found[1:]
            for pair in sorted(self.apart[newest]):
                others += [self.alphabet.copy(self.alphabet.code(name), 1 + k) for name in pair]
            found = self.alphabet.unify(found[0], self.copy(newest, k), others)
        if len(premises) < len(rule.hypotheses):
            self._partial[key] = found
        return found

    def _apply(self, rule: Rule, premises: tuple[int, ...]) -> int:
        try:
            found = self._unified(rule, premises)
        except Overflow:
            return Rejection.TOO_LONG
        if found is None:
            return Rejection.NO_UNIFIER
        if len(found[0]) > self.longest:
            return Rejection.TOO_LONG
        term, names = self.alphabet.canonical(found[0])
        apart: Pairs = frozenset()
        if len(found) > 1:
            kept = self._kept(found[1:])
            if kept is None:
                return Rejection.DISTINCT
            show = {code: self.alphabet.name(new) for code, new in names.items()}
            apart = renamed(kept, show | {code: name for name, code in self.alphabet.rigid.items()})
        return self._intern(term, apart)

    def _kept(self, conditions: list[str]) -> set[tuple[str, str]] | None:
        """The pairs of characters that must be distinct so that pairs of terms are; None if they can't."""
        alphabet, kept = self.alphabet, set()
        rigid = set(alphabet.rigid.values())
        for one, other in zip(conditions[::2], conditions[1::2]):
            for a, b in product(set(one), set(other)):
                if all(c in alphabet.variables or c in rigid for c in (a, b)):
                    if a == b:
                        return None
                    kept.add((a, b))
        return kept

    def conditions(self, rule: Rule, premises: tuple[int, ...]) -> list[tuple[str, str]]:
        """Pairs of variables that a step keeps distinct: the rule's, and those of its premises, renamed."""
        pairs = list(rule.disjoint)
        for k, premise in enumerate(premises):
            for one, other in self.apart[premise]:
                pairs.append((at_place(one, k), at_place(other, k)))
        return pairs

    def unifier(self, rule: Rule, premises: tuple[int, ...]) -> Substitution | None:
        """The most general unifier of the hypotheses with these statements as trees, triangular; None if none.

        A name of the statement at place ``k`` is followed by ``k`` primes.
        """
        found: Substitution = {}
        for k, (hypothesis, premise) in enumerate(zip(rule.hypotheses, premises)):
            if not unify(hypothesis, with_suffix(self.tree(premise), "'" * k), found, self.type_of):
                return None
        return found

    def names(self, rule: Rule, found: Substitution) -> dict[str, str]:
        """Of a step's conclusion under its unifier, the variables that are left, and their names in its statement."""
        left = variables(substitute(rule.conclusion, found))
        return {name: f"{self.type_of(name)}{k}" for k, name in enumerate(left)}
