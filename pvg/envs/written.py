"""Proofs of the game as Metamath theorems, each verified before anybody sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pvg.envs.candidates import Goal
from pvg.envs.derivations import Proof, statements
from pvg.envs.schemes import Pairs, is_rigid, separated, with_suffix
from pvg.envs.statements import Library
from pvg.formal.building import Maker, Step, active_floating, new_theorem
from pvg.formal.database import Assertion
from pvg.formal.grammar import Tree
from pvg.formal.proofs import Verifier
from pvg.formal.unify import Substitution, match, replace, variables
from pvg.formal.writing import show_theorem

LARGEST = 1000  # steps of a written proof


class Written(NamedTuple):
    """A theorem and its proof, both as the database would have them, and as a block to be put behind it."""

    theorem: Assertion
    proof: str
    text: str


class Writer:
    """Writes proofs as Metamath and verifies them."""

    def __init__(self, library: Library, verifier: Verifier):
        self.library, self.verifier = library, verifier

    def __call__(self, proof: Proof, label: str) -> Written | None:
        """The theorem, verified; None if the database has too few variables for it, or the proof is too large.

        Raises:
            MetamathError: the verifier rejects it, which would be a mistake of ours.
        """
        library, goal = self.library, proof.goal
        assert goal is not None
        order = len(library.database.labels) if goal.order is None else goal.order
        try:
            names = Names(library, goal, order)
            theorem = self._theorem(goal, label, names, goal.distinct, order)
            steps = Instances(library, proof, label, names).steps
        except OverflowError:
            return None
        maker = Maker(library.grammar, theorem)
        text = maker(steps)
        if maker.needed:  # $d conditions of variables that only the proof has
            pairs = {(names[a], names[b]) for a, b in goal.distinct} | maker.needed
            allowed = {tuple(sorted((names[a], names[b]))) for a, b in goal.distinct}
            dummies = set(names.spare.values())
            assert all(p in allowed or dummies.intersection(p) for p in maker.needed)
            theorem = self._theorem(goal, label, names, (), order, pairs)
        self.verifier(theorem, text)
        return Written(theorem, text, show_theorem(library.database, theorem, text))

    def _theorem(
        self, goal: Goal, label: str, names: Names, distinct: Pairs | tuple, order: int, pairs=()
    ) -> Assertion:
        code, show = self.library.grammar.provable, self.library.grammar.show
        essential = [code + show(names.write(h)) for h in goal.hypotheses]
        pairs = {*pairs, *((names[a], names[b]) for a, b in distinct)}
        statement = code + show(names.write(goal.statement))
        return new_theorem(self.library.database, label, essential, statement, pairs, order=order)


class Names:
    """The variables of the database that stand for rigid ones, in a theorem at a place of the database."""

    def __init__(self, library: Library, goal: Goal, order: int):
        self.free: dict[str, list[str]] = {}
        for code, hypothesis in active_floating(library.database, order).items():
            self.free.setdefault(hypothesis.typecode, []).append(code)
        self.given: dict[str, str] = {}
        self.spare: dict[str, str] = {}
        for tree in (*goal.hypotheses, goal.statement):
            for name in rigid_names(tree):
                self[name]

    def __getitem__(self, name: str) -> str:
        """The variable of a rigid name, a free one for a new name.

        Raises:
            OverflowError: there is none left.
        """
        if name not in self.given:
            if not self.free.get(name[0]):
                raise OverflowError
            self.given[name] = self.free[name[0]].pop(0)
        return self.given[name]

    def write(self, tree: Tree) -> Tree:
        """A tree with rigid names as one of the database."""
        if not isinstance(tree, tuple):
            return tree
        if len(tree) == 1 and is_rigid(tree[0]):
            return self[tree[0]]
        return (tree[0], *map(self.write, tree[1:]))

    def dummy(self, kind: str, not_in: set[str]) -> Tree:
        """A rigid tree for a variable that the theorem doesn't have, different from some."""
        for k in range(len(not_in) + 1):
            name = f"{kind}!dummy{k}"
            if name not in not_in:
                break
        if name not in self.given:
            if not self.free.get(kind) and not not_in:  # where no condition forbids it, any variable will do
                return next((n,) for n in self.given if n[0] == kind)
            self.spare[name] = self[name]
        return (name,)


class Instances:
    """The steps of a proof, where each use of a node is an instance of its own.

    Attributes:
        steps: for :class:`pvg.formal.building.Maker`.

    Raises:
        OverflowError: there are too many, or too few variables.
        ValueError: the proof is not one of its goal.
    """

    def __init__(self, library: Library, proof: Proof, label: str, names: Names):
        assert proof.goal is not None
        self.library, self.proof, self.label, self.names = library, proof, label, names
        self.given = len(proof.goal.hypotheses)
        self.numbers = statements(library, proof.goal, proof.moves)
        self.steps: list[Step] = []
        self.places: dict[tuple[int, Tree], int] = {}
        found: Substitution = {}
        if not match(library.tree(self.numbers[-1]), proof.goal.statement, found, library.type_of):
            raise ValueError("the last move does not prove the goal")
        self._add(len(self.numbers) - 1, found)

    def _add(self, node: int, values: Substitution) -> int:
        """The place of the step that states a node with these rigid trees for its variables."""
        library = self.library
        stated = (node, replace(library.tree(self.numbers[node]), values))
        if stated in self.places:
            return self.places[stated]
        if node < self.given:
            step = Step(f"{self.label}.{node + 1}")
        else:
            move = self.proof.moves[node - self.given]
            rule, premises = library.by_label[move.label], tuple([self.numbers[m] for m in move.premises])
            found = dict(library.unifier(rule, premises) or {})
            for raw, canonical in library.names(rule, found).items():
                found[raw] = values[canonical]
            self._fill(rule, premises, found)
            below = tuple(
                self._add(
                    m, {v: put(with_suffix(v, "'" * k), found) for v in variables(library.tree(number))}
                )
                for k, (m, number) in enumerate(zip(move.premises, premises))
            )
            own = {v for tree in (*rule.hypotheses, rule.conclusion) for v in variables(tree)}
            step = Step(move.label, below, {v: self.names.write(put(v, found)) for v in own})
        self.steps.append(step)
        if len(self.steps) > LARGEST:
            raise OverflowError
        self.places[stated] = len(self.steps) - 1
        return len(self.steps) - 1

    def _fill(self, rule, premises: tuple[int, ...], found: Substitution) -> None:
        """Put dummy variables where nothing stands for a variable."""
        library = self.library
        conditions = library.conditions(rule, premises)
        apart = separated(conditions, found) or set()
        careful = {name for pair in apart for name in pair}
        taken = {n for tree in found.values() for n in rigid_names(tree)} if careful else set()
        names = [v for tree in (*rule.hypotheses, rule.conclusion) for v in variables(tree)]
        for k, number in enumerate(premises):
            names += [v + "'" * k for v in variables(library.tree(number))]
        for name in names:
            for end in ends(name, found):
                found[end] = self.names.dummy(library.type_of(end), taken if end in careful else set())
                if end in careful:
                    taken.add(found[end][0])


def put(tree: Tree, found: Substitution) -> Tree:
    """The tree with all variables replaced, again and again."""
    if isinstance(tree, tuple):
        return (tree[0], *[put(child, found) for child in tree[1:]])
    return put(found[tree], found)


def ends(tree: Tree, found: Substitution) -> list[str]:
    """The variables of a tree that nothing stands for in the end."""
    if isinstance(tree, tuple):
        return list(dict.fromkeys(end for child in tree[1:] for end in ends(child, found)))
    return ends(found[tree], found) if tree in found else [tree]


def rigid_names(tree: Tree) -> Iterator[str]:
    """The rigid names in a tree, with repetitions."""
    if isinstance(tree, tuple):
        if len(tree) == 1 and is_rigid(tree[0]):
            yield tree[0]
        for child in tree[1:]:
            yield from rigid_names(child)
