"""New theorems over a database, and Metamath proofs of them made from steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import NamedTuple, NoReturn

from pvg.formal.dag import Builder, Dag, compress
from pvg.formal.database import Assertion, Database, Hypothesis, frame
from pvg.formal.errors import MetamathError
from pvg.formal.grammar import Grammar, Tree
from pvg.formal.unify import Substitution, match, replace, variables


class Step(NamedTuple):
    """One step of a proof.

    Attributes:
        label: of an assertion, or of a ``$e`` of the theorem.
        premises: places of the earlier steps that prove the assertion's ``$e``, in their order.
        substitution: trees for variables of the assertion.  Those that occur in its ``$e`` are found by matching and
            may be left out.
    """

    label: str
    premises: tuple[int, ...] = ()
    substitution: Mapping[str, Tree] = {}


def new_theorem(
    database: Database,
    label: str,
    essential: Sequence[str],
    statement: str,
    distinct: Iterable[tuple[str, str]] = (),
    order: int | None = None,
) -> Assertion:
    """A theorem that is not in the database, without a proof.

    Args:
        label: its own; its hypotheses are ``label.1`` and so on.
        essential: its ``$e`` statements, coded, with their typecodes.
        statement: coded, with its typecode.
        distinct: pairs of variables, coded, those of dummy variables included.
        order: its place; it may cite what comes before.  None: behind everything.

    Raises:
        MetamathError: for a variable that has no ``$f`` there.
    """
    order = len(database.labels) if order is None else order
    floating = active_floating(database, order)
    # all stand at the place of the theorem; the sort by place is stable, so they come last and in their order
    made = [
        Hypothesis(f"{label}.{k}", "e", text[0], text[1:], order, order, 0, -1)
        for k, text in enumerate(essential, 1)
    ]
    try:
        hypotheses = frame(statement, made, floating, database.variables)
    except KeyError as error:
        raise MetamathError(
            f"the variable '{database.symbol(error.args[0])}' has no type there",
            label=label,
            expected="an active $f",
        ) from None
    apart = tuple(sorted("".join(sorted(pair)) for pair in distinct))
    return Assertion(label, "p", statement[0], statement[1:], hypotheses, apart, "", order, 0, -1)


def active_floating(database: Database, order: int) -> dict[str, Hypothesis]:
    """The ``$f`` statements that are active at a place, by the code of their variable."""
    return {h.body: h for h in database.floating if h.order < order <= h.end}


def proof_of(grammar: Grammar, theorem: Assertion, steps: Sequence[Step]) -> str:
    """The compressed proof that consists of these steps; the last one proves the theorem.

    Steps that cite a ``$f``, the proofs of syntax, are made here.  The proof is not verified: distinct-variable
    conditions, and what the theorem may cite, are for :class:`pvg.formal.proofs.Verifier`.

    Raises:
        MetamathError: for a step that names no assertion, whose premises don't match its hypotheses, or whose
            substitution lacks a variable, and if the last step states something else than the theorem.
    """
    return Maker(grammar, theorem)(steps)


class Maker:
    """Makes proofs of one theorem: what :func:`proof_of` does, with the statements of the steps kept.

    Attributes:
        trees: what each step states.
        needed: pairs of variables, each in sorted order, that have to be distinct for the steps to be right.
    """

    def __init__(self, grammar: Grammar, theorem: Assertion):
        self.grammar, self.theorem, self.database = grammar, theorem, grammar.database
        self.floating = active_floating(grammar.database, theorem.order)
        self.essential = {h.label: h for h in theorem.essential}
        self.build = Builder()
        self.syntax: dict[Tree, int] = {}
        self.trees: list[Tree] = []
        self.places: list[int] = []
        self.needed: set[tuple[str, str]] = set()

    def __call__(self, steps: Sequence[Step]) -> str:
        for step in steps:
            self.add(step)
        if not steps:
            self._fail("a proof without steps", "one at least")
        found, wanted = self.trees[-1], self.grammar.statement(self.theorem.statement)
        if found != wanted:
            self._fail(f"the last step states '{self._show(found)}'", f"'{self._show(wanted)}'")
        return compress(self.theorem, Dag(self.build.nodes, self.places[-1]))

    def add(self, step: Step) -> Tree:
        """Append a step; returns what it states."""
        own = self.essential.get(step.label)
        if own is not None:
            self.trees.append(self.grammar.statement(own.statement))
            self.places.append(self.build(own.label))
            return self.trees[-1]
        cited = self.database.assertion(step.label)
        found = self.substitution(cited, step)
        for one, other in cited.disjoint:
            for pair in product(variables(found[one]), variables(found[other])):
                if pair[0] == pair[1]:
                    symbol = self.database.symbol
                    self._fail(
                        f"'{symbol(pair[0])}' is in what step {len(self.trees) + 1} puts for '{symbol(one)}' and for "
                        f"'{symbol(other)}' of '{cited.label}'",
                        "no variable in common",
                    )
                self.needed.add((min(pair), max(pair)))
        proved = iter(step.premises)
        premises = tuple(
            self._syntax(found[h.body]) if h.kind == "f" else self.places[next(proved)]
            for h in cited.hypotheses
        )
        self.trees.append(replace(self.grammar.statement(cited.statement), found))
        self.places.append(self.build(cited.label, premises))
        return self.trees[-1]

    def substitution(self, cited: Assertion, step: Step) -> Substitution:
        """What a step puts for all mandatory variables of the assertion that it cites."""
        found, type_of = dict(step.substitution), self.grammar.type_of
        essential, number = cited.essential, len(self.trees) + 1
        if len(essential) != len(step.premises):
            self._fail(
                f"step {number} '{cited.label}' has {len(step.premises)} premises", f"{len(essential)}"
            )
        for hypothesis, premise in zip(essential, step.premises):
            if not 0 <= premise < len(self.trees):
                self._fail(
                    f"step {number} '{cited.label}' has the premise {premise}", "the place of an earlier step"
                )
            if not match(self.grammar.statement(hypothesis.statement), self.trees[premise], found, type_of):
                said, wanted = self._show(self.trees[premise]), self.database.show(hypothesis.body)
                self._fail(
                    f"step {number} '{cited.label}' can't use '{said}' as '{hypothesis.label}'", f"'{wanted}'"
                )
        for hypothesis in cited.floating:
            if hypothesis.body not in found:
                name = self.database.symbol(hypothesis.body)
                self._fail(
                    f"step {number} '{cited.label}' has nothing for '{name}'", "a tree in its substitution"
                )
            if type_of(found[hypothesis.body]) != hypothesis.typecode:
                symbol = self.database.symbol
                self._fail(
                    f"step {number} '{cited.label}' puts '{self._show(found[hypothesis.body])}' for "
                    f"'{symbol(hypothesis.body)}'",
                    f"an expression of type '{symbol(hypothesis.typecode)}'",
                )
        return found

    def _syntax(self, tree: Tree) -> int:
        """The node that proves what type a tree is of."""
        place = self.syntax.get(tree)
        if place is None:
            if isinstance(tree, tuple):
                place = self.build(tree[0], tuple([self._syntax(child) for child in tree[1:]]))
            elif tree in self.floating:
                place = self.build(self.floating[tree].label)
            else:
                self._fail(f"the variable '{self.database.symbol(tree)}' has no type here", "an active $f")
            self.syntax[tree] = place
        return place

    def _show(self, tree: Tree) -> str:
        return self.database.show(self.grammar.show(tree))

    def _fail(self, message: str, expected: str) -> NoReturn:
        raise self.database.error(self.theorem, message, expected)
