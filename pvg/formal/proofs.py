"""Verifying Metamath proofs (Megill & Wheeler 2019, sections 4.1.3 to 4.3 and appendix B).

A proof is run on a stack.  A step that cites an assertion takes one entry for each of its mandatory hypotheses off the
stack: those of ``$f`` say what to put for the variables, those of ``$e`` must then be what stands there, and distinct
variables must stay distinct; the assertion with the substitution made goes onto the stack.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from operator import itemgetter, length_hint
from typing import NamedTuple, NoReturn

from pvg.formal.database import Assertion, Database, Hypothesis

_NUMBER = re.compile(r"[U-Y]*[A-T]|[Z?]")
SAVE, UNKNOWN = -1, -2  # the steps Z and ? of a compressed proof
# typecode and body of what rests on an unknown step; no code is below 0x100
_UNKNOWN = ("?", "")


class Proof(NamedTuple):
    """A proof's steps: places in the mandatory hypotheses, then the labels, then what was saved; SAVE or UNKNOWN."""

    labels: list[str]
    steps: list[int]


class Rule(NamedTuple):
    """What a step that cites an assertion does, made ready for the stack.

    Attributes:
        size: entries that it takes off the stack, two a statement: its typecode and its body.
        typecodes: of the statements.
        typecode: of what it puts there.
        template: of its body, for the operator ``%``.
        pick: the values of the template, out of the entries.
        essential: place of the body, template and pick of each ``$e``.
        apart: places of the bodies of each mandatory distinct-variable pair.
        hypotheses: of the assertion.
        order, end: from behind where to where it may be cited.
        statement: typecode and body as they are.
    """

    size: int
    typecodes: list[str]
    typecode: str
    template: str
    pick: Callable
    essential: tuple[tuple[int, str, Callable], ...]
    apart: tuple[tuple[int, int], ...]
    hypotheses: tuple[Hypothesis, ...]
    order: int
    end: int
    statement: tuple[str, str]


def rule(cited: Assertion | Hypothesis) -> Rule:
    """The rule of what a proof may cite."""
    hypotheses = cited.hypotheses if isinstance(cited, Assertion) else ()
    places = {h.body: 2 * k + 1 for k, h in enumerate(hypotheses) if h.kind == "f"}
    slots = {ord(variable): "%s" for variable in places}

    disjoint = sorted(cited.disjoint) if isinstance(cited, Assertion) and cited.apart else ()

    def template(body: str) -> tuple[str, Callable]:
        wanted = [places[code] for code in body if code in places]
        # itemgetter gives one value bare, which % takes as well
        return body.translate(slots), itemgetter(*wanted) if wanted else _nothing

    return Rule(
        2 * len(hypotheses),
        [h.typecode for h in hypotheses],
        cited.typecode,
        *template(cited.body),
        tuple((2 * k + 1, *template(h.body)) for k, h in enumerate(hypotheses) if h.kind == "e"),
        tuple((places[a], places[b]) for a, b in disjoint),
        hypotheses,
        cited.order,
        cited.end if isinstance(cited, Hypothesis) else sys.maxsize,
        (cited.typecode, cited.body),
    )


def _nothing(_: object) -> tuple:
    return ()


class Verifier:
    """Verifies proofs of a database's theorems, or of new ones over it.

    Args:
        database: whose assertions proofs may cite.
    """

    def __init__(self, database: Database):
        self.database = database
        self.rules: dict[str, Rule] = {}
        self.numbers: dict[str, int] = {"Z": SAVE, "?": UNKNOWN}
        self.steps = 0  # verified so far

    def __call__(self, theorem: Assertion, proof: str | None = None) -> bool:
        """Verify a proof: True if it is complete, False if it has a step ``?`` and is right as far as it goes.

        Args:
            theorem: what is to be proved.  It may cite what comes before ``theorem.order``.
            proof: normal or compressed; its own if None.

        Raises:
            MetamathError: a proof that is wrong.
        """
        read = self.read(theorem, theorem.proof if proof is None else proof)
        self.steps += len(read.steps)
        return self._run(theorem, read)

    def read(self, theorem: Assertion, proof: str) -> Proof:
        """Take a normal or compressed proof apart.

        Raises:
            MetamathError: if it is neither.
        """
        if not proof.startswith("("):
            words = proof.split()
            places = {h.label: k for k, h in enumerate(theorem.hypotheses)} | {"?": UNKNOWN}
            others = [label for label in dict.fromkeys(words) if label not in places]
            places |= {label: len(theorem.hypotheses) + k for k, label in enumerate(others)}
            return Proof(others, [places[word] for word in words])
        head, closed, tail = proof[1:].partition(")")
        if not closed:
            self._fail(theorem, "a compressed proof without )", "labels between ( and )")
        labels, letters = head.split(), "".join(tail.split())
        own = {h.label for h in theorem.hypotheses}
        if not own.isdisjoint(labels):
            label = next(label for label in labels if label in own)
            self._fail(
                theorem, f"the mandatory hypothesis '{label}' between ( and )", "only other labels there"
            )
        found: list[str] = _NUMBER.findall(letters)
        numbers = self.numbers
        if sum(map(len, found)) != len(letters):
            rest = _NUMBER.sub("", letters)
            self._fail(
                theorem,
                f"'{rest[:20]}' in the compressed proof",
                "numbers: letters U to Y, then one of A to T",
            )
        if "ZZ" in letters:
            self._fail(theorem, "ZZ in the compressed proof", "one Z behind a step")
        try:
            steps = [numbers[word] for word in found]
        except KeyError:
            numbers |= {word: _number(word) for word in found if word not in numbers}
            steps = [numbers[word] for word in found]
        return Proof(labels, steps)

    def _run(self, theorem: Assertion, proof: Proof) -> bool:
        # Typecodes and bodies alternate on the stack, so that one addition puts a statement there.
        known = [(h.typecode, h.body) for h in theorem.hypotheses]
        rules: list[Rule | None] = [None] * len(known)
        place = theorem.order
        for label in proof.labels:
            cited = self.rules.get(label)
            if cited is None or not cited.order < place <= cited.end:
                cited = self._cited(theorem, label)
            known.append(cited.statement)
            rules.append(cited if cited.size else None)
        apart: dict[str, set[str]] | None = None
        stack: list[str] = []
        steps = iter(proof.steps)
        try:
            for step in steps:
                if step < 0:
                    if step == UNKNOWN:
                        stack += _UNKNOWN
                        continue
                    if not stack:
                        self._wrong(theorem, proof, steps, "nothing to save", "Z behind a step")
                    known.append((stack[-2], stack[-1]))
                    rules.append(None)
                    continue
                cited = rules[step]
                if cited is None:
                    stack += known[step]
                    continue
                size, typecodes, typecode, template, pick, essential, distinct, _, _, _, _ = cited
                base = len(stack) - size
                entries = stack[base:]
                if entries[::2] != typecodes:
                    self._check_types(theorem, proof, steps, entries[::2], cited)
                    stack[base:] = _UNKNOWN  # as is all that stands on an unknown step
                    continue
                for where, pattern, values in essential:
                    if entries[where] != pattern % values(entries):
                        broken, right = cited.hypotheses[where // 2], pattern % values(entries)
                        self._mismatch(theorem, proof, steps, broken, entries[where], right)
                if distinct:
                    if apart is None:
                        apart = _apart(theorem)
                    self._check_distinct(theorem, proof, steps, entries, distinct, apart)
                stack[base:] = typecode, template % pick(entries)
        except IndexError:
            self._wrong(theorem, proof, steps, f"there are {len(rules)} to cite", "a label or a saved step")
        if len(stack) != 2:
            self._fail(theorem, f"{len(stack) // 2} statements left at the end of the proof", "one")
        if stack[0] != _UNKNOWN[0] and stack != [theorem.typecode, theorem.body]:
            show = self.database.show
            self._fail(theorem, f"the proof proves '{show(''.join(stack))}'", f"'{show(theorem.statement)}'")
        return UNKNOWN not in proof.steps

    def _check_distinct(
        self,
        theorem: Assertion,
        proof: Proof,
        steps: Iterator[int],
        entries: list[str],
        distinct: tuple[tuple[int, int], ...],
        apart: dict[str, set[str]],
    ) -> None:
        """Raise if the variables of two substitutions are not distinct; ``apart`` has none with itself."""
        variables = self.database.variables
        for first, second in distinct:
            others = variables.intersection(entries[second])
            for variable in variables.intersection(entries[first]):
                if not others <= apart.get(variable, _NONE):
                    near = min(others - apart.get(variable, _NONE))
                    one, other = self.database.symbol(variable), self.database.symbol(near)
                    if one == other:
                        self._wrong(
                            theorem, proof, steps, f"'{one}' in two substitutions", "no common variable"
                        )
                    message = f"'{one}' and '{other}' must be distinct"
                    self._wrong(theorem, proof, steps, message, f"$d {one} {other} $.")

    def _cited(self, theorem: Assertion, label: str) -> Rule:
        """The rule of what a proof names; that of a hypothesis takes nothing off the stack."""
        statement = self.database.labels.get(label)
        if statement is None:
            self._fail(theorem, f"the proof cites '{label}', which doesn't exist", "a label of the database")
        made = self.rules[label] = rule(statement)
        if made.order >= theorem.order:
            message = f"the proof cites '{label}', which comes later"
            self._fail(theorem, message, "an earlier axiom or theorem")
        if made.end < theorem.order:
            message = f"the proof cites '{label}', which is not active here"
            self._fail(theorem, message, "an active hypothesis")
        return made

    # --- what is wrong ---

    def _fail(self, theorem: Assertion, message: str, expected: str = "") -> NoReturn:
        raise self.database.error(theorem, message, expected)

    def _wrong(
        self, theorem: Assertion, proof: Proof, steps: Iterator[int], message: str, expected: str
    ) -> NoReturn:
        """Raise what is wrong with the step that the iterator gave last."""
        names = [*(h.label for h in theorem.hypotheses), *proof.labels]
        number = len(proof.steps) - length_hint(steps)
        step = proof.steps[number - 1]
        name = f" '{names[step]}'" if 0 <= step < len(names) else ""
        self._fail(theorem, f"step {number}{name}: {message}", expected)

    def _check_types(
        self, theorem: Assertion, proof: Proof, steps: Iterator[int], found: list[str], cited: Rule
    ) -> None:
        """Raise what is wrong with the entries that a step takes, unless it is only that they are unknown."""
        wanted, symbol = cited.typecodes, self.database.symbol
        if len(found) < len(wanted):
            self._wrong(theorem, proof, steps, "too few statements on the stack", str(len(wanted)))
        for code, right, hypothesis in zip(found, wanted, cited.hypotheses):
            if code not in (right, _UNKNOWN[0]):
                message = f"a statement of type '{symbol(code)}' for its hypothesis '{hypothesis.label}'"
                self._wrong(theorem, proof, steps, message, f"'{symbol(right)}'")

    def _mismatch(
        self,
        theorem: Assertion,
        proof: Proof,
        steps: Iterator[int],
        hypothesis: Hypothesis,
        found: str,
        wanted: str,
    ) -> NoReturn:
        show, code = self.database.show, hypothesis.typecode
        message = f"'{show(code + found)}' for its hypothesis '{hypothesis.label}'"
        self._wrong(theorem, proof, steps, message, f"'{show(code + wanted)}'")


_NONE: frozenset[str] = frozenset()


def _apart(theorem: Assertion) -> dict[str, set[str]]:
    """By variable, those that a theorem's ``$d`` statements keep distinct from it."""
    found: dict[str, set[str]] = {}
    for group in theorem.apart:
        for variable in group:
            found.setdefault(variable, set()).update(group)
    for variable, others in found.items():
        others.discard(variable)
    return found


def _number(word: str) -> int:
    """The place that letters of a compressed proof mean, from 0 (the Metamath book, appendix B)."""
    high = 0
    for letter in word[:-1]:
        high = 5 * high + ord(letter) - ord("T")
    return 20 * high + ord(word[-1]) - ord("A")
