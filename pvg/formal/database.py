"""A Metamath database in memory: symbols, hypotheses, and assertions with their frames (Megill & Wheeler 2019, ch. 4).

A math symbol is one character of a private alphabet, so that a statement is a plain ``str``: its length counts
symbols, equality and hashing run at C speed, and substitution is string formatting.  :meth:`Database.show` and
:meth:`Database.encode` translate.  The typecode, a statement's first symbol, is kept apart from the rest, its body.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

from pvg.formal.errors import MetamathError

# Codes begin behind Latin-1: clear of '%', and every string has the same width inside Python, which copies faster.
_FIRST, _SURROGATES = 0x100, range(0xD800, 0xE000)


@dataclass(slots=True, eq=False)
class Hypothesis:
    """A ``$f`` (kind "f") or ``$e`` (kind "e") statement.

    Attributes:
        order: place among all labelled statements of the database, from 0.
        end: the first place at which it is no longer active.
        source: index of the file.
    """

    label: str
    kind: str
    typecode: str
    body: str
    order: int
    end: int
    line: int
    source: int

    @property
    def statement(self) -> str:
        """Typecode and body, coded."""
        return self.typecode + self.body


@dataclass(slots=True, eq=False)
class Assertion:
    """A ``$a`` (kind "a") or ``$p`` (kind "p") statement with its frame.

    Attributes:
        hypotheses: the mandatory ones in order of appearance: ``$f`` of every variable that occurs in a ``$e`` or in
            the assertion, and all active ``$e``.
        apart: the active ``$d`` statements, each as the string of its variables; those of dummy variables included.
        proof: as written between ``$=`` and ``$.``, "" for an axiom.
        order: place among all labelled statements of the database, from 0.
        source: index of the file.
    """

    label: str
    kind: str
    typecode: str
    body: str
    hypotheses: tuple[Hypothesis, ...]
    apart: tuple[str, ...]
    proof: str
    order: int
    line: int
    source: int

    @property
    def statement(self) -> str:
        """Typecode and body, coded."""
        return self.typecode + self.body

    @property
    def floating(self) -> tuple[Hypothesis, ...]:
        """The mandatory ``$f`` statements: one for each variable, ``body`` is the variable."""
        return tuple(h for h in self.hypotheses if h.kind == "f")

    @property
    def essential(self) -> tuple[Hypothesis, ...]:
        """The ``$e`` statements."""
        return tuple(h for h in self.hypotheses if h.kind == "e")

    @property
    def disjoint(self) -> frozenset[tuple[str, str]]:
        """The mandatory distinct-variable pairs: each in sorted order."""
        variables = {h.body for h in self.hypotheses if h.kind == "f"}
        return frozenset(
            pair for group in self.apart for pair in combinations(sorted(variables.intersection(group)), 2)
        )


@dataclass(eq=False)
class Database:
    """All that a ``.mm`` file states.

    Attributes:
        files: paths read, the main one first.
        symbols: every math symbol in order of declaration.
        variables: the codes of those that are variables.
        labels: every labelled statement by its label, in order.
        floating: all ``$f`` statements, in order.
        outline: what is needed to write the database back: ``("c", codes)``, ``("v", codes)``, ``("d", codes)``,
            ``("{", "")``, ``("}", "")`` and ``("s", label)``, in order.
        codes: of the symbols.
    """

    files: list[str] = field(default_factory=list)
    symbols: list[str] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)
    labels: dict[str, Hypothesis | Assertion] = field(default_factory=dict)
    floating: list[Hypothesis] = field(default_factory=list)
    outline: list[tuple[str, str]] = field(default_factory=list)
    codes: dict[str, str] = field(default_factory=dict)

    def declare(self, symbol: str) -> str:
        """The code of a symbol, a new one if it hasn't one."""
        code = self.codes.get(symbol)
        if code is None:
            number = _FIRST + len(self.symbols)
            if number >= _SURROGATES.start:
                number += len(_SURROGATES)
            code = self.codes[symbol] = chr(number)
            self.symbols.append(symbol)
        return code

    def symbol(self, code: str) -> str:
        """The math symbol of a code."""
        return self.symbols[self.index(code)]

    @staticmethod
    def index(code: str) -> int:
        """The place of a code's symbol in ``symbols``: a token id, from 0."""
        number = ord(code)
        return number - _FIRST - (len(_SURROGATES) if number >= _SURROGATES.stop else 0)

    def show(self, coded: str) -> str:
        """A coded statement as it is written, with spaces."""
        return " ".join(map(self.symbol, coded))

    def encode(self, text: str) -> str:
        """A statement written with spaces as a coded one.

        Raises:
            MetamathError: for a symbol that is not declared.
        """
        try:
            return "".join([self.codes[symbol] for symbol in text.split()])
        except KeyError as error:
            raise MetamathError(
                f"'{text}' has the symbol '{error.args[0]}'", expected="a declared math symbol"
            ) from None

    @property
    def assertions(self) -> Iterator[Assertion]:
        """Axioms and theorems in order."""
        return (s for s in self.labels.values() if isinstance(s, Assertion))

    @property
    def theorems(self) -> Iterator[Assertion]:
        """The ``$p`` statements in order."""
        return (s for s in self.assertions if s.kind == "p")

    def assertion(self, label: str) -> Assertion:
        """The axiom or theorem of a label.

        Raises:
            MetamathError: if there is none.
        """
        found = self.labels.get(label)
        if not isinstance(found, Assertion):
            raise MetamathError(f"'{label}' is no axiom or theorem of this database")
        return found

    def error(self, at: Hypothesis | Assertion, message: str, expected: str = "") -> MetamathError:
        """An error at the place of a statement."""
        file = self.files[at.source] if 0 <= at.source < len(self.files) else ""
        return MetamathError(message, file=file, line=at.line, label=at.label, expected=expected)


def frame(
    body: str, essential: Iterable[Hypothesis], floating: dict[str, Hypothesis], variables: set[str]
) -> tuple[Hypothesis, ...]:
    """The mandatory hypotheses of an assertion, in order.

    Args:
        body: of the assertion.
        essential: all active ``$e``.
        floating: the active ``$f`` by variable.
        variables: of the database.

    Raises:
        KeyError: the variable that has no active ``$f``.
    """
    found = list(essential)
    used = variables.intersection("".join([body, *[h.body for h in found]]))
    found += [floating[v] for v in used]
    found.sort(key=_order)
    return tuple(found)


def _order(hypothesis: Hypothesis) -> int:
    return hypothesis.order
