"""A proof as a directed acyclic graph of steps, and from there its normal and its compressed form."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from pvg.formal.database import Assertion
from pvg.formal.proofs import SAVE, UNKNOWN, Verifier

_UNKNOWN = ("?", ())


class Dag(NamedTuple):
    """A proof without repetition.

    Attributes:
        nodes: label and premises of each step; a premise is the place of an earlier node, one for each mandatory
            hypothesis of the assertion.  Hypotheses have no premises, and the label of a step to come is "?".
        root: the place of the node that proves the theorem.
    """

    nodes: list[tuple[str, tuple[int, ...]]]
    root: int


class Builder:
    """Makes a graph node by node; what is there already is used again."""

    def __init__(self) -> None:
        self.nodes: list[tuple[str, tuple[int, ...]]] = []
        self.places: dict[tuple[str, tuple[int, ...]], int] = {}

    def __call__(self, label: str, premises: tuple[int, ...] = ()) -> int:
        """The place of a step."""
        node = (label, premises)
        place = self.places.setdefault(node, len(self.nodes))
        if place == len(self.nodes) or node == _UNKNOWN:  # two unknown steps need not be the same
            place = len(self.nodes)
            self.nodes.append(node)
        return place


def dag(verifier: Verifier, theorem: Assertion, proof: str | None = None) -> Dag:
    """The graph of a normal or compressed proof, its own if None.

    Raises:
        MetamathError: if steps lack premises or cite what the database hasn't.  Otherwise the proof need not be right.
    """
    read, database = verifier.read(theorem, theorem.proof if proof is None else proof), verifier.database
    labels = [*(h.label for h in theorem.hypotheses), *read.labels]
    sizes = [0] * len(theorem.hypotheses)
    for label in read.labels:
        cited = database.labels.get(label)
        if cited is None:
            raise database.error(theorem, f"the proof cites '{label}', which does not exist")
        sizes.append(len(cited.hypotheses) if isinstance(cited, Assertion) else 0)
    build, saved = Builder(), []
    stack: list[int] = []
    for step in read.steps:
        if step == SAVE and stack:
            saved.append(stack[-1])
        elif step == UNKNOWN:
            stack.append(build("?"))
        elif 0 <= step < len(labels) and len(stack) >= sizes[step]:
            base = len(stack) - sizes[step]
            stack[base:] = [build(labels[step], tuple(stack[base:]))]
        elif 0 <= step - len(labels) < len(saved):
            stack.append(saved[step - len(labels)])
        else:
            raise database.error(theorem, "a step of the proof lacks premises or names none")
    if len(stack) != 1:
        raise database.error(theorem, f"{len(stack)} statements left at the end of the proof", "one")
    return Dag(build.nodes, stack[0])


def expand(graph: Dag) -> str:
    """The normal proof: the labels of all steps, in reverse Polish order.  It can be exponentially longer."""
    words, todo = [], [graph.root]
    while todo:  # the last premise first, so the words come out backwards
        label, premises = graph.nodes[todo.pop()]
        words.append(label)
        todo += premises
    return " ".join(reversed(words))


def compress(theorem: Assertion, graph: Dag) -> str:
    """The compressed proof: each step once, where it has premises and is needed twice (Metamath book, appendix B)."""
    order: list[tuple[int, bool]] = []  # node, and whether it is its first use
    todo, done = [(graph.root, False)], set()
    while todo:
        place, ready = todo.pop()
        premises = graph.nodes[place][1]
        if ready or not premises or place in done:
            order.append((place, ready))
            continue
        done.add(place)
        todo.append((place, True))
        todo += [(premise, False) for premise in reversed(premises)]
    uses = Counter(place for place, _ in order)
    numbers = {h.label: k for k, h in enumerate(theorem.hypotheses)}
    cited = Counter(label for place, _ in order if (label := graph.nodes[place][0]) not in numbers)
    labels = [
        label for label, _ in cited.most_common() if label != "?"
    ]  # what is often cited has a short number
    numbers |= {label: len(numbers) + k for k, label in enumerate(labels)}
    saved: dict[int, int] = {}
    letters = []
    for place, ready in order:
        label, premises = graph.nodes[place]
        if place in saved:
            letters.append(_letters(saved[place]))
            continue
        letters.append("?" if label == "?" else _letters(numbers[label]))
        if ready and uses[place] > 1:
            saved[place] = len(numbers) + len(saved)
            letters.append("Z")
    return " ".join(["(", *labels, ")", "".join(letters)])


def _letters(number: int) -> str:
    """The letters that mean a place, counted from 0."""
    high, low = divmod(number, 20)
    word = chr(ord("A") + low)
    while high:
        high, digit = divmod(high - 1, 5)
        word = chr(ord("U") + digit) + word
    return word
