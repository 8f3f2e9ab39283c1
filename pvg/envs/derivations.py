"""Proofs as plain data: a database's as moves, the parts of a proof, and its states replayed to learn from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pvg.envs.candidates import SOLVES, STOP, Game, Goal, Move, State, observe
from pvg.envs.schemes import ordered, rigid, text
from pvg.envs.statements import Library, Rejection
from pvg.formal.dag import dag
from pvg.formal.database import Assertion
from pvg.formal.grammar import Tree
from pvg.formal.proofs import Verifier


class Proof(NamedTuple):
    """A goal and moves that prove it; None as the goal for what a generator played."""

    goal: Goal | None
    moves: tuple[Move, ...]


def goal_of(library: Library, theorem: Assertion) -> Goal:
    """A theorem of the database as a goal."""
    names: dict[str, Tree] = {}
    parse, type_of = library.grammar.statement, library.grammar.type_of
    statement = rigid(parse(theorem.statement), names, type_of)
    hypotheses = tuple(rigid(parse(h.statement), names, type_of) for h in theorem.essential)
    for variable in theorem.floating:
        rigid(variable.body, names, type_of)
    distinct = frozenset(ordered(names[a][0], names[b][0]) for a, b in theorem.disjoint)
    return Goal(statement, hypotheses, distinct, theorem.order, theorem.label)


def database_proof(library: Library, verifier: Verifier, theorem: Assertion) -> Proof:
    """A theorem's proof of the database as moves."""
    goal, graph = goal_of(library, theorem), dag(verifier, theorem)
    own = {h.label: k for k, h in enumerate(theorem.essential)}
    places: dict[int, int] = {}
    moves: list[Move] = []
    for k, (label, premises) in enumerate(graph.nodes):
        if label in own:
            places[k] = own[label]
            continue
        cited = library.database.labels[label]
        if isinstance(cited, Assertion) and cited.typecode == library.grammar.provable:
            used = [p for p, h in zip(premises, cited.hypotheses) if h.kind == "e"]
            places[k] = len(own) + len(moves)
            moves.append(Move(label, tuple(places[p] for p in used)))
    return Proof(goal, tuple(moves))


class Rejected(ValueError):
    """A proof can't be replayed; ``reason`` says why."""

    def __init__(self, reason: Rejection):
        self.reason = reason
        super().__init__(reason.name)


def statements(library: Library, goal: Goal | None, moves: Sequence[Move]) -> list[int]:
    """The number of each node, those of the goal's hypotheses first.

    Raises:
        Rejected: there is none.
    """
    numbers = [library.number(h) for h in goal.hypotheses] if goal else []
    for move in moves:
        rule = library.by_label.get(move.label)
        if rule is None:
            raise Rejected(Rejection.NOT_CITED)
        numbers.append(library.apply(rule, tuple([numbers[m] for m in move.premises])))
        if numbers[-1] < 0:
            raise Rejected(Rejection(numbers[-1]))
    return numbers


def needed(goal: Goal | None, moves: Sequence[Move], root: int) -> list[Move]:
    """The moves that a node rests on, in order, its own last."""
    given = len(goal.hypotheses) if goal else 0
    used, todo = set(), [root]
    while todo:
        place = todo.pop()
        if place >= given and place not in used:
            used.add(place)
            todo += moves[place - given].premises
    places = {k: k for k in range(given)} | {place: given + k for k, place in enumerate(sorted(used))}
    return [
        Move(moves[p - given].label, tuple(places[m] for m in moves[p - given].premises))
        for p in sorted(used)
    ]


def parts(library: Library, proof: Proof, order: int | None = None) -> Iterator[Proof]:
    """Each node of a proof without hypotheses as a goal of its own, with its part of the proof."""
    if proof.goal and proof.goal.hypotheses:
        return
    numbers = statements(library, proof.goal, proof.moves)
    for place, number in enumerate(numbers):
        yield Proof(goal_from(library, number, order), tuple(needed(proof.goal, proof.moves, place)))


def goal_from(library: Library, number: int, order: int | None = None) -> Goal:
    """A statement as a goal."""
    names: dict[str, Tree] = {}
    statement = rigid(library.tree(number), names, library.type_of)
    distinct = frozenset(ordered(names[a][0], names[b][0]) for a, b in library.apart[number])
    return Goal(statement, (), distinct, order)


class Example(NamedTuple):
    """A state and the choices that were right there, by their places."""

    state: State
    right: tuple[int, ...]


def examples(
    library: Library, proof: Proof, most: int = 2048, stops: bool = False
) -> tuple[list[Example], Game]:
    """Replay a proof: each state on the way, with the candidates that the proof still needs.

    Where some candidates prove the goal at once, these are what is right, and the replay ends: a proof that was found
    by chance may be longer than it must.

    Args:
        stops: a generator plays it, and stops at the end; only the very next move is right.

    Raises:
        Rejected: a node of it is no candidate.
    """
    numbers = statements(library, proof.goal, proof.moves)
    game, found = Game(library, proof.goal, most), []
    wanted = set(numbers) - set(game.nodes)
    for number in numbers[len(game.nodes) :]:
        if number in game.nodes:  # the same statement by two ways
            continue
        place = game.find(number)
        if place is None:
            raise Rejected(Rejection.BUDGET)
        solving = [k for k, features in enumerate(game.features) if features[SOLVES]]
        right = [place] if stops else solving or [k for k, n in enumerate(game.numbers) if n in wanted]
        found.append(Example(observe(game, stops and may_stop(game)), tuple(k + 1 for k in right)))
        game.take(right[0] if solving else place)
        if solving:
            break
        wanted.discard(number)
    if stops and may_stop(game):
        found.append(Example(observe(game, True), (STOP,)))
    return found, game


def may_stop(game: Game) -> bool:
    """Whether a generator may stop: the newest node is no citation."""
    return bool(game.moves) and bool(game.moves[-1].premises)


def key(goal: Goal) -> str:
    """A goal as text, the same for goals that differ by renaming."""
    return " | ".join([text(goal.statement), *map(text, goal.hypotheses), *map(str, sorted(goal.distinct))])
