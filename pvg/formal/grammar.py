"""Parsing statements into syntax trees by a database's own syntax axioms, as an unambiguous grammar.

A tree is a variable's code, or ``(label, *children)``: a syntax axiom and a tree for each of its variables in the order
of its hypotheses.  Trees of a statement are what unification works on, and in reverse Polish order they are its proof.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from pvg.formal.database import Assertion, Database
from pvg.formal.errors import MetamathError

Tree: TypeAlias = str | tuple  # tuple[str, *tuple[Tree, ...]]


@dataclass(slots=True)
class _State:
    """What syntax axioms with a common beginning look like from here on.

    Attributes:
        constants: the state behind a constant.
        variables: the state behind an expression of a typecode.
        done: of the axioms that end here: typecode, label, and the places of its children among what was read.
    """

    constants: dict[str, _State] = field(default_factory=dict)
    variables: dict[str, _State] = field(default_factory=dict)
    done: list[tuple[str, str, tuple[int, ...]]] = field(default_factory=list)


class Grammar:
    """The syntax of a database: its axioms without ``$e`` of every typecode but that of provable statements.

    Axioms for the empty expression are left out, so statements that need one don't parse.  Where a statement can be
    read in two ways, the tree with the earlier axioms is found.

    Args:
        database: what is to be parsed is written in its symbols.
        provable: the typecode of theorems.
        syntax: the typecode of what can stand behind it.

    Raises:
        MetamathError: if one of the two symbols is not declared.
    """

    def __init__(self, database: Database, provable: str = "|-", syntax: str = "wff"):
        self.database = database
        self.provable, self.syntax = database.encode(provable), database.encode(syntax)
        # the type of a variable that has several in turn is the last; such databases are rare
        self.types = {h.body: h.typecode for h in database.floating}
        self.axioms: dict[str, Assertion] = {}
        self._root = _State()
        for axiom in database.assertions:
            if axiom.kind == "a" and axiom.typecode != self.provable and not axiom.essential and axiom.body:
                self._add(axiom)
        self.parse = lru_cache(1 << 16)(self._parse)

    def _add(self, axiom: Assertion) -> None:
        self.axioms[axiom.label] = axiom
        types = {h.body: h.typecode for h in axiom.hypotheses}
        state, read = self._root, []
        for code in axiom.body:
            if code in types:
                read.append(code)
                state = state.variables.setdefault(types[code], _State())
            else:
                state = state.constants.setdefault(code, _State())
        state.done.append((axiom.typecode, axiom.label, tuple(read.index(h.body) for h in axiom.hypotheses)))

    def type_of(self, tree: Tree) -> str:
        """The typecode of a tree; that of a variable with a longer name than a code is the name's first letter."""
        if isinstance(tree, tuple):
            return self.axioms[tree[0]].typecode
        return tree[0] if len(tree) > 1 else self.types[tree]

    def show(self, tree: Tree) -> str:
        """The coded expression of a tree."""
        if not isinstance(tree, tuple):
            return tree
        axiom = self.axioms[tree[0]]
        values = {h.body: self.show(child) for h, child in zip(axiom.hypotheses, tree[1:])}
        return "".join([values.get(code, code) for code in axiom.body])

    def _parse(self, body: str, typecode: str | None = None) -> Tree:
        """The tree of a coded expression without its typecode.

        Args:
            body: what to parse.
            typecode: what it is to be; the grammar's ``syntax`` if None.

        Raises:
            MetamathError: if it is no such expression.
        """
        typecode = typecode or self.syntax
        ends: list[dict[str, dict[int, Tree]]] = [{} for _ in range(len(body) + 1)]
        # From right to left: what begins here needs only what begins further right, and itself as a first part.
        for start in range(len(body) - 1, -1, -1):
            self._expressions(body, start, ends)
        tree = ends[0].get(typecode, {}).get(len(body))
        if tree is None:
            show = self.database.show
            raise MetamathError(
                f"'{show(body)}' doesn't parse", expected=f"an expression of type '{show(typecode)}'"
            )
        return tree

    def _expressions(self, body: str, start: int, ends: list[dict[str, dict[int, Tree]]]) -> None:
        """Find all expressions that begin at ``start``: trees by typecode, then by the place behind them."""
        here, code = ends[start], body[start]
        # states to go on from: where, and the trees read so far
        todo: list[tuple[_State, int, tuple[Tree, ...]]] = []
        # expressions to begin a larger one with
        found: list[tuple[str, int, Tree]] = []
        if code in self.types:
            found.append((self.types[code], start + 1, code))
        if code in self._root.constants:
            todo.append((self._root.constants[code], start + 1, ()))
        while todo or found:
            if found:
                typecode, end, tree = found.pop()
                known = here.setdefault(typecode, {})
                if end not in known:
                    known[end] = tree
                    if typecode in self._root.variables:
                        todo.append((self._root.variables[typecode], end, (tree,)))
                continue
            state, place, read = todo.pop()
            for typecode, label, order in state.done:
                # an axiom that names a variable twice wants the same there
                if len(set(order)) == len(read) or self._agrees(label, read):
                    found.append((typecode, place, (label, *[read[k] for k in order])))
            if place < len(body):
                if body[place] in state.constants:
                    todo.append((state.constants[body[place]], place + 1, read))
                for typecode, behind in state.variables.items():
                    todo += [
                        (behind, end, (*read, tree)) for end, tree in ends[place].get(typecode, {}).items()
                    ]

    def _agrees(self, label: str, read: tuple[Tree, ...]) -> bool:
        axiom = self.axioms[label]
        variables = {h.body for h in axiom.hypotheses}
        seen: dict[str, Tree] = {}
        return all(
            seen.setdefault(code, tree) == tree
            for code, tree in zip([c for c in axiom.body if c in variables], read)
        )

    def statement(self, coded: str) -> Tree:
        """The tree of a whole statement: of what stands behind the typecode of theorems, or of an expression."""
        return self.parse(coded[1:], None if coded[0] == self.provable else coded[0])
