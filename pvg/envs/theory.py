"""A database as ground for the game: what may be cited, what is trained on, and what is held out."""

from __future__ import annotations

import random
from collections import Counter
from functools import cached_property

from pvg.envs.candidates import Goal
from pvg.envs.derivations import Proof, Rejected, database_proof, examples, goal_of
from pvg.envs.statements import Library, Rejection
from pvg.envs.written import Writer
from pvg.errors import UserError
from pvg.formal import prop
from pvg.formal.database import Assertion, Database
from pvg.formal.errors import MetamathError
from pvg.formal.grammar import Grammar
from pvg.formal.proofs import Verifier
from pvg.formal.reader import read
from pvg.formal.unify import match


class Theory:
    """Theorems of a database in two parts, and what belongs to them.

    Args:
        database: a ``.mm`` file; None for the embedded one, with its own split.
        until: the last label that counts; None for all.
        test: how many theorems are held out of another database than the embedded one: of those that no proof cites.
        longest: tokens that a statement may have.
        moves: steps that a game may have.
        candidates: that a game keeps.
        premises: assertions with more hypotheses are not cited.
        seed: decides what is held out.

    Raises:
        UserError: the file can't be read, or has too little.
    """

    def __init__(
        self,
        database: str | None = None,
        until: str | None = None,
        test: int = 40,
        longest: int = 32,
        moves: int = 12,
        candidates: int = 1024,
        premises: int = 2,
        seed: int = 0,
    ):
        for name, value, least in (
            ("longest", longest, 4),
            ("moves", moves, 1),
            ("candidates", candidates, 1),
            ("premises", premises, 1),
        ):
            if value < least:
                raise UserError(f"env.{name}={value}: write {least} or more.")
        self.moves, self.candidates = moves, candidates
        self.database = _read(database)
        try:
            grammar = Grammar(self.database)
        except MetamathError as error:
            raise UserError(f"env.database={database}: {error}") from error
        self.verifier = Verifier(self.database)
        last = self.database.labels.get(until) if until else None
        theorems = [
            a
            for a in self.database.theorems
            if a.typecode == grammar.provable and (last is None or a.order <= last.order)
        ]
        held_out = prop.TEST if database is None else _unused(self.database, theorems, test, seed)
        self.test = [a for a in theorems if a.label in frozenset(held_out)]
        self.train = [a for a in theorems if a.label not in frozenset(held_out)]
        if not self.test or not self.train:
            raise UserError(
                f"env.database={database or 'prop.mm'}, until={until}: {len(self.train)} theorems to train on and "
                f"{len(self.test)} held out; there must be some of both. Set env.until later, or env.test above 0."
            )
        self.library = Library(self.database, grammar, held_out, longest, until, premises)
        self.writer = Writer(self.library, self.verifier)
        self.refused: Counter[Rejection] = Counter()

    @cached_property
    def proofs(self) -> list[Proof]:
        """The training theorems' proofs that a game of this size can hold; ``refused`` counts the others."""
        found = []
        for theorem in self.train:
            proof = database_proof(self.library, self.verifier, theorem)
            if len(proof.moves) > self.moves:
                self.refused[Rejection.BUDGET] += 1
                continue
            try:
                examples(self.library, proof, self.candidates)
            except Rejected as error:
                self.refused[error.reason] += 1
            else:
                found.append(proof)
        return found

    @cached_property
    def held_out(self) -> list[Goal]:
        """The held-out theorems as goals."""
        return [goal_of(self.library, theorem) for theorem in self.test]

    def reveals_held_out(self, goal: Goal) -> bool:
        """Whether a goal is a held-out theorem, or one of those follows from it at once."""
        tree = self.library.tree(self.library.number(_free(goal.statement)))
        return any(
            not other.hypotheses and match(tree, other.statement, {}, self.library.type_of)
            for other in self.held_out
        )

    def subsumed(self, goal: Goal) -> bool:
        """Whether a goal is an instance of an assertion without hypotheses that may be cited."""
        library = self.library
        return any(
            match(library.tree(number), goal.statement, {}, library.type_of) for _, number in library.closed
        )


def _free(tree):
    """A tree whose rigid names are variables again."""
    if isinstance(tree, tuple):
        if len(tree) == 1 and tree[0][1:2] == "!":
            return tree[0].replace("!", "")
        return (tree[0], *map(_free, tree[1:]))
    return tree


def _read(path: str | None) -> Database:
    try:
        return read(path or prop.PATH)
    except OSError as error:
        raise UserError(f"env.database={path}: can't be read ({error.strerror}).") from error
    except MetamathError as error:
        raise UserError(f"env.database={path} is no Metamath database: {error}") from error


def _unused(database: Database, theorems: list[Assertion], count: int, seed: int) -> list[str]:
    """So many theorems that no other proof cites, in a random order that is always the same."""
    inside = {a.label for a in theorems}
    cited: set[str] = set()
    for theorem in theorems:
        head = theorem.proof.partition(")")[0] if theorem.proof.startswith("(") else theorem.proof
        cited |= inside.intersection(head.split())
    unused = [a.label for a in theorems if a.label not in cited]
    return random.Random(seed).sample(unused, min(count, len(unused)))
