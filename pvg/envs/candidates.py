"""One game forward: the statements proved so far, and the candidates for the next one."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import NamedTuple

import numpy as np

from pvg.envs.inference import Rule
from pvg.envs.schemes import Pairs, is_rigid, separated
from pvg.envs.statements import Library, Rejection
from pvg.envs.subgoals import Subgoals, Wanted
from pvg.formal.grammar import Tree
from pvg.formal.unify import Substitution, match

FEATURES = 7
SOLVES, SIZE, NEAR = 0, 4, 6  # places among the features
STOP = 0  # the place of the generator's other choice; candidates begin behind it


class Goal(NamedTuple):
    """What is to be proved; its variables are rigid.

    Attributes:
        statement: a tree.
        hypotheses: trees of what may be used.
        distinct: pairs of rigid names that may be taken to be distinct.
        order: only what comes before this place of the database may be cited; None: everything but what is held out.
        name: a label, or "".
    """

    statement: Tree
    hypotheses: tuple[Tree, ...] = ()
    distinct: Pairs = frozenset()
    order: int | None = None
    name: str = ""


class Move(NamedTuple):
    """A step as plain data: the label of an assertion and the places of the nodes for its hypotheses."""

    label: str
    premises: tuple[int, ...] = ()


class Game:
    """A growing proof.

    Args:
        library: what is known about statements.
        goal: None for a generator.
        most: candidates that are kept; when there are so many, no more are looked for.
        token: what a generator is to make, a number that stands in the goal's place.

    Attributes:
        nodes: numbers of the statements proved, the goal's hypotheses first.
        moves: how each of those behind the hypotheses came about.
        numbers, rules, premises, features: of the candidates; the last features are how many nodes there were
            when it came, and how near it brings the goal.
        rejected: how often there was no new candidate, by reason.
    """

    def __init__(self, library: Library, goal: Goal | None = None, most: int = 2048, token: int = 0):
        self.library, self.goal, self.most = library, goal, most
        self.limit = library.limit(goal.order if goal else None)
        self.distinct = goal.distinct if goal else frozenset()
        self.nodes: list[int] = []
        self.moves: list[Move] = []
        self.numbers: list[int] = []
        self.rules: list[int] = []
        self.premises: list[tuple[int, ...]] = []
        self.features: list[tuple[float, ...]] = []
        self.rejected: Counter[Rejection] = Counter()
        self.known: set[int] = set()
        self.target = library.number(goal.statement) if goal else token
        self.wanted = library.alphabet.write(goal.statement, {}) if goal else ""
        self.subgoals = Subgoals(library.steps(self.wanted, self.limit)) if goal else None
        for rule, number in library.closed:
            if rule.place < self.limit:
                self._offer(rule, (), number)
        self._hint(0)
        for hypothesis in goal.hypotheses if goal else ():
            self._append(library.number(hypothesis))

    @property
    def solved(self) -> bool:
        """Whether the newest node proves the goal."""
        return bool(self.goal and self.nodes) and self.proves(self.nodes[-1])

    def proves(self, number: int) -> bool:
        """Whether the goal is an instance of a statement, with what may be taken to be distinct."""
        goal, library, found = self.goal, self.library, Substitution()
        if goal is None or not library.alphabet.match(library.texts[number], self.wanted):
            return False
        if not library.apart[number]:
            return True
        match(library.tree(number), goal.statement, found, library.type_of)
        needed = separated(library.apart[number], found)
        return needed is not None and needed <= self.distinct

    def take(self, candidate: int) -> None:
        """Prove a candidate."""
        number, rule = self.numbers.pop(candidate), self.rules.pop(candidate)
        self.features.pop(candidate)
        self.moves.append(Move(self.library.rules[rule].label, self.premises.pop(candidate)))
        self._append(number)

    def _append(self, number: int) -> None:
        self.known.add(number)
        self.nodes.append(number)
        if self.subgoals:
            self._hint(0, self.subgoals.prove(number))
        before = len(self.numbers)
        self._grow()
        self._hint(before)
        if not self.numbers:
            self.rejected[Rejection.NO_CANDIDATE] += 1

    def _hint(self, since: int, wanted: Wanted | None = None) -> None:
        """How near the candidates from a place on are to the goal; or what has become nearer by what is wanted now."""
        if not self.subgoals or since == len(self.numbers):
            return
        numbers, before = self.numbers[since:], [features[NEAR] for features in self.features[since:]]
        near = self.subgoals.near(numbers) if wanted is None else wanted.near(numbers, before)
        for k, (old, new) in enumerate(zip(before, near), since):
            if new > old:
                self.features[k] = (*self.features[k][:NEAR], new)

    def _grow(self) -> None:
        """New candidates: all that use the newest node."""
        library, newest, limit = self.library, len(self.nodes) - 1, self.limit
        fits = [library.fits(number)[1] for number in self.nodes]
        for rule, place in library.fits(self.nodes[newest])[0]:
            index = rule.place
            if index >= limit:
                break
            # the newest stands at this place and, so that nothing comes twice, at none before it
            choices = [
                [newest] if k == place else [m for m in range(newest + (k > place)) if (index, k) in fits[m]]
                for k in range(len(rule.hypotheses))
            ]
            for premises in product(*choices):
                if len(self.numbers) >= self.most:
                    self.rejected[Rejection.BUDGET] += 1
                    return
                self._offer(rule, premises, library.apply(rule, tuple([self.nodes[m] for m in premises])))

    def _offer(self, rule: Rule, premises: tuple[int, ...], number: int) -> None:
        if number < 0:
            self.rejected[Rejection(number)] += 1
        elif number in self.known:
            self.rejected[Rejection.DUPLICATE] += 1
        elif len(self.numbers) >= self.most:
            self.rejected[Rejection.BUDGET] += 1
        elif self.library.apart[number] and not self._allowed(number):
            self.rejected[Rejection.DISTINCT] += 1
        else:
            self.known.add(number)
            self.numbers.append(number)
            self.rules.append(rule.place)
            self.premises.append(premises)
            arity = len(premises)
            size = len(self.library.texts[number]) / self.library.longest
            solves = self.goal is not None and self.proves(number)
            self.features.append((solves, arity == 0, arity == 1, arity > 1, size, len(self.nodes) / 16, 0.0))

    def _allowed(self, number: int) -> bool:
        pairs = {p for p in self.library.apart[number] if is_rigid(p[0]) and is_rigid(p[1])}
        return pairs <= self.distinct

    def find(self, number: int) -> int | None:
        """The place of the candidate of a statement."""
        return self.numbers.index(number) if number in self.known and number in self.numbers else None


class State(NamedTuple):
    """What a scorer sees of one game, by numbers of a library; the first choice is STOP.

    Attributes:
        numbers: int32 ``[candidates + 1]``; that of STOP is the newest node.
        rules: int32 ``[candidates + 1]``; that of STOP is one behind all.
        features: float32 ``[candidates + 1, FEATURES]``.
        allowed: bool ``[candidates + 1]``.
        nodes: int32 ``[nodes]``.
        goal: the number of the goal, or 0.
    """

    numbers: np.ndarray
    rules: np.ndarray
    features: np.ndarray
    allowed: np.ndarray
    nodes: np.ndarray
    goal: int


def observe(game: Game, stop: bool) -> State:
    """What a scorer sees; ``stop`` says whether the game may stop now."""
    n = len(game.numbers) + 1
    numbers, rules = np.empty(n, np.int32), np.empty(n, np.int32)
    numbers[STOP] = game.nodes[-1] if game.nodes else 0
    rules[STOP] = len(game.library.rules)
    numbers[1:], rules[1:] = game.numbers, game.rules
    features, allowed = np.zeros((n, FEATURES), np.float32), np.ones(n, bool)
    features[STOP, NEAR] = (
        len(game.nodes) / 16
    )  # who may stop has no goal to be near: for STOP this says when
    if n > 1:
        features[1:] = game.features
    allowed[STOP] = stop
    return State(numbers, rules, features, allowed, np.array(game.nodes, np.int32), game.target)
