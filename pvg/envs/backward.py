"""One game backward: from the goal to what would prove it, one open goal at a time."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from pvg.envs.candidates import Game, Goal, Move, observe
from pvg.envs.derivations import Example, Proof, Rejected, statements
from pvg.envs.inference import Rule
from pvg.envs.schemes import with_suffix
from pvg.envs.statements import Library, Rejection
from pvg.envs.theorems import TheoremEnv
from pvg.formal.grammar import Tree
from pvg.formal.unify import Substitution, substitute, unify


class Part(NamedTuple):
    """A place of the proof that is being found: its rule's label, or the number of a hypothesis; None while open."""

    label: str | int | None
    below: tuple[int, ...] = ()


class BackwardGame(Game):
    """A proof found from its end; choices are assertions, or hypotheses, that prove the goal that is in front.

    An open goal may have variables, to be found out later: a step replaces them everywhere.  In front is the largest
    of the open goals, since a bare variable would take any assertion.  The statement of a choice is the goal that
    would be in front next, or the one that it proves if it has no hypotheses.

    Attributes:
        parts: of the proof so far.
        open: place among the parts, and tree, of each open goal; the one in front is the last.
    """

    def __init__(self, library: Library, goal: Goal, most: int = 2048):
        self.library, self.goal, self.most = library, goal, most
        self.limit, self.distinct = library.limit(goal.order), goal.distinct
        self.target = library.number(goal.statement)
        self.wanted = library.alphabet.write(goal.statement, {})
        self.rejected: Counter[Rejection] = Counter()
        self.parts = [Part(None)]
        self.open: list[tuple[int, Tree]] = [(0, goal.statement)]
        self.taken = 0
        self.moves: list[Move] = []
        self._look()

    @property
    def solved(self) -> bool:
        """Whether nothing is open, and what was found proves the goal with the distinct variables that it has."""
        if self.open:
            return False
        numbers = statements(self.library, self.goal, self.moves)
        return self.proves(numbers[-1])

    def take(self, candidate: int) -> None:
        """Prove the goal in front by a candidate."""
        label, below, self.open = self.choices[candidate]
        place = self.front
        self.parts[place] = Part(label, tuple(range(len(self.parts), len(self.parts) + below)))
        self.parts += [Part(None)] * below
        self.taken += 1
        self._look()
        if not self.open:
            self._finish()

    def _look(self) -> None:
        """The choices for the goal in front."""
        self.numbers: list[int] = []
        self.rules: list[int] = []
        self.features: list[tuple[float, ...]] = []
        self.choices: list[tuple[str | int, int, list[tuple[int, Tree]]]] = []
        self.nodes = [self.library.number(tree) for _, tree in self.open]
        if not self.open:
            return
        self.front, tree = self.open[-1]
        for k, hypothesis in enumerate(self.goal.hypotheses if self.goal else ()):
            self._offer_tree(k, len(self.library.rules), hypothesis, (), tree)
        for rule in self.library.rules[: self.limit]:
            conclusion, hypotheses = self._fresh(rule)
            self._offer_tree(rule.label, rule.place, conclusion, hypotheses, tree)
        if not self.numbers:
            self.rejected[Rejection.NO_CANDIDATE] += 1

    def _fresh(self, rule: Rule) -> tuple[Tree, tuple[Tree, ...]]:
        """A rule with variables that are used nowhere else."""
        conclusion, *hypotheses = self.library.schemes[rule.place]
        suffix = f"_{self.taken}"
        return with_suffix(conclusion, suffix), tuple(with_suffix(h, suffix) for h in hypotheses)

    def _offer_tree(
        self, label: str | int, rule: int, conclusion: Tree, hypotheses: tuple[Tree, ...], tree: Tree
    ) -> None:
        library, found = self.library, Substitution()
        library.calls += 1
        head = conclusion[0] if isinstance(conclusion, tuple) and isinstance(tree, tuple) else tree[0]
        if head != tree[0] or not unify(conclusion, tree, found, library.type_of):
            self.rejected[Rejection.NO_UNIFIER] += 1
            return
        if len(self.numbers) >= self.most:
            self.rejected[Rejection.BUDGET] += 1
            return
        rest = [(place, substitute(t, found)) for place, t in self.open[:-1]]
        new = [(len(self.parts) + k, substitute(h, found)) for k, h in enumerate(hypotheses)]
        after = sorted([*rest, *new], key=lambda one: _weight(one[1]))
        number = (
            library.number(after[-1][1]) if new and after else library.number(substitute(conclusion, found))
        )
        if number < 0 or any(_weight(t) > library.longest for _, t in after):
            self.rejected[Rejection.TOO_LONG] += 1
            return
        self.numbers.append(number)
        self.rules.append(rule)
        self.choices.append((label, len(hypotheses), after))
        arity, size = len(hypotheses), len(library.texts[number]) / library.longest
        self.features.append((not after, arity == 0, arity == 1, arity > 1, size, len(after) / 8, 0.0))

    def _finish(self) -> None:
        """The moves of the proof that was found, in order, none twice."""
        given = len(self.goal.hypotheses) if self.goal else 0
        places: dict[Move, int] = {}

        def write(part: int) -> int:
            label, below = self.parts[part]
            if isinstance(label, int):
                return label
            move = Move(str(label), tuple([write(k) for k in below]))
            if move not in places:
                places[move] = given + len(self.moves)
                self.moves.append(move)
            return places[move]

        if write(0) < given:  # the goal is a hypothesis
            self.moves = []


def _weight(tree: Tree) -> int:
    return 1 + sum(map(_weight, tree[1:])) if isinstance(tree, tuple) else 0


class BackwardEnv(TheoremEnv):
    """``TheoremEnv`` played from the goals."""

    def _new(self) -> Game:
        goal = next(self.goals)
        assert goal is not None
        return BackwardGame(self.theory.library, goal, self.theory.candidates)

    @property
    def nodes(self) -> int:
        """How many goals can be open."""
        most = max((len(rule.hypotheses) for rule in self.theory.library.rules), default=0)
        return 1 + self.theory.moves * max(1, most - 1)


def backward_examples(library: Library, proof: Proof, most: int = 2048, budget: int = 64) -> list[Example]:
    """Replay a proof from its end.

    Raises:
        Rejected: it takes more than ``budget`` steps, or one that is no choice.
    """
    assert proof.goal is not None
    given, found = len(proof.goal.hypotheses), []
    game, wanted = BackwardGame(library, proof.goal, most), {0: given + len(proof.moves) - 1}
    while game.open:
        if game.taken == budget:
            raise Rejected(Rejection.BUDGET)
        place = wanted[game.front]
        label: str | int = place if place < given else proof.moves[place - given].label
        right = next((k for k, choice in enumerate(game.choices) if choice[0] == label), None)
        if right is None:
            raise Rejected(Rejection.NO_CANDIDATE)
        found.append(Example(observe(game, False), (right + 1,)))
        front = game.front
        game.take(right)
        if place >= given:
            wanted |= zip(game.parts[front].below, proof.moves[place - given].premises)
    return found
