"""Verifying Metamath proofs (Megill & Wheeler 2019, sections 4.1.3 to 4.3 and appendix B).

A proof is run on a stack.  A step that cites an assertion takes one entry for each of its mandatory hypotheses off the
stack: those of ``$f`` say what to put for the variables, those of ``$e`` must then be what stands there, and distinct
variables must stay distinct; the assertion with the substitution made goes onto the stack.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import NamedTuple, NoReturn

from pvg.formal.database import Assertion, Database, Hypothesis

_NUMBER = re.compile(r"[U-Y]*[A-T]|[Z?]")
SAVE, UNKNOWN = -1, -2  # the steps Z and ? of a compressed proof
_NOT_KNOWN = "?"  # the typecode of what rests on an unknown step; no code is below 0x100


class Proof(NamedTuple):
    """A proof's steps: places in the mandatory hypotheses, then the labels, then what was saved; SAVE or UNKNOWN."""

    labels: list[str]
    steps: list[int]


class Rule(NamedTuple):
    """What a step that cites an assertion does, made ready for the stack.

    Attributes:
        size: entries that it takes.
        typecodes: of these.
        typecode: of what it puts there.
        template: of its body, for the operator ``%``.
        pick: the values of the template, out of the entries.
        essential: place, template and pick of each ``$e``.
        apart: places of the hypotheses of each mandatory distinct-variable pair.
        order: of the assertion.
    """

    size: int
    typecodes: list[str]
    typecode: str
    template: str
    pick: Callable
    essential: tuple[tuple[int, str, Callable], ...]
    apart: tuple[tuple[int, int], ...]
    order: int


def rule(assertion: Assertion) -> Rule:
    """The rule of an assertion."""
    hypotheses = assertion.hypotheses
    places = {h.body: k for k, h in enumerate(hypotheses) if h.kind == "f"}
    slots = {ord(variable): "%s" for variable in places}

    def template(body: str) -> tuple[str, Callable]:
        wanted = [places[code] for code in body if code in places]
        # itemgetter gives one value bare, which % takes as well
        return body.translate(slots), itemgetter(*wanted) if wanted else _nothing

    return Rule(
        len(hypotheses),
        [h.typecode for h in hypotheses],
        assertion.typecode,
        *template(assertion.body),
        tuple((k, *template(h.body)) for k, h in enumerate(hypotheses) if h.kind == "e"),
        tuple((places[a], places[b]) for a, b in sorted(assertion.disjoint)),
        assertion.order,
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
        try:
            steps = [numbers[word] for word in found]
        except KeyError:
            numbers |= {word: _number(word) for word in found if word not in numbers}
            steps = [numbers[word] for word in found]
        return Proof(labels, steps)

    def _run(self, theorem: Assertion, proof: Proof) -> bool:
        bodies = [h.body for h in theorem.hypotheses]
        typecodes = [h.typecode for h in theorem.hypotheses]
        rules: list[Rule | None] = [None] * len(bodies)
        for label in proof.labels:
            typecode, body, cited = self._cited(theorem, label)
            bodies.append(body)
            typecodes.append(typecode)
            rules.append(cited)
        variables = self.database.variables
        apart: dict[str, set[str]] | None = None
        complete = True
        stack: list[str] = []
        types: list[str] = []
        push, push_type = stack.append, types.append
        for number, step in enumerate(proof.steps):
            if step < 0:
                if step == UNKNOWN:
                    complete = False
                    push("")
                    push_type(_NOT_KNOWN)
                    continue
                if not stack or (number and proof.steps[number - 1] == SAVE):
                    self._wrong(theorem, proof, number, "nothing to save", "Z behind a step")
                bodies.append(stack[-1])
                typecodes.append(types[-1])
                rules.append(None)
                continue
            if step >= len(rules):
                self._wrong(
                    theorem, proof, number, f"step {step + 1} of {len(rules)}", "a label or a saved step"
                )
            cited = rules[step]
            if cited is None:
                push(bodies[step])
                push_type(typecodes[step])
                continue
            size, wanted, typecode, template, pick, essential, distinct, _ = cited
            base = len(stack) - size
            if types[base:] != wanted:
                self._check_types(theorem, proof, number, types, cited)
                # what stands on an unknown step is unknown too
                stack[base:] = [""]
                types[base:] = [_NOT_KNOWN]
                continue
            entries = stack[base:]
            for place, pattern, values in essential:
                if entries[place] != pattern % values(entries):
                    self._mismatch(theorem, proof, number, place, entries[place], pattern % values(entries))
            for first, second in distinct:
                if apart is None:
                    apart = _apart(theorem)
                others = variables.intersection(entries[second])
                for variable in variables.intersection(entries[first]):
                    if not others <= apart.get(variable, _NONE):
                        self._not_distinct(
                            theorem, proof, number, variable, others - apart.get(variable, _NONE)
                        )
            del stack[base:]
            push(template % pick(entries))
            del types[base:]
            push_type(typecode)
        if len(stack) != 1:
            self._fail(theorem, f"{len(stack)} statements left at the end of the proof", "one")
        if types[0] != _NOT_KNOWN and (types[0], stack[0]) != (theorem.typecode, theorem.body):
            show = self.database.show
            self._fail(
                theorem, f"the proof proves '{show(types[0] + stack[0])}'", f"'{show(theorem.statement)}'"
            )
        return complete

    def _cited(self, theorem: Assertion, label: str) -> tuple[str, str, Rule | None]:
        """Typecode and body of a hypothesis, or the rule of an assertion, that a proof names."""
        cited = self.rules.get(label)
        if cited is None:
            statement = self.database.labels.get(label)
            if isinstance(statement, Hypothesis):
                if not statement.order < theorem.order <= statement.end:
                    self._fail(
                        theorem,
                        f"the proof cites '{label}', which is not active here",
                        "an active hypothesis",
                    )
                return statement.typecode, statement.body, None
            if statement is None:
                self._fail(
                    theorem, f"the proof cites '{label}', which does not exist", "a label of the database"
                )
            cited = self.rules[label] = rule(statement)
        if cited.order >= theorem.order:
            self._fail(
                theorem, f"the proof cites '{label}', which comes later", "an earlier axiom or theorem"
            )
        return cited.typecode, cited.template, None if not cited.size else cited

    # --- what is wrong ---

    def _fail(self, theorem: Assertion, message: str, expected: str = "") -> NoReturn:
        raise self.database.error(theorem, message, expected)

    def _wrong(self, theorem: Assertion, proof: Proof, number: int, message: str, expected: str) -> NoReturn:
        names = [*(h.label for h in theorem.hypotheses), *proof.labels]
        step = proof.steps[number]
        name = f" '{names[step]}'" if 0 <= step < len(names) else " 'Z'" if step == SAVE else ""
        self._fail(theorem, f"step {number + 1}{name}: {message}", expected)

    def _check_types(
        self, theorem: Assertion, proof: Proof, number: int, types: list[str], cited: Rule
    ) -> None:
        """Raise what is wrong with the entries that a step takes, unless it is only that they are unknown."""
        if len(types) < cited.size:
            self._wrong(theorem, proof, number, f"{len(types)} statements on the stack", f"{cited.size}")
        found = types[len(types) - cited.size :]
        hypotheses = self.database.assertion(self._name(theorem, proof, number)).hypotheses
        for code, wanted, hypothesis in zip(found, cited.typecodes, hypotheses):
            if code not in (wanted, _NOT_KNOWN):
                symbol = self.database.symbol
                message = f"a statement of type '{symbol(code)}' for its hypothesis '{hypothesis.label}'"
                self._wrong(theorem, proof, number, message, f"'{symbol(wanted)}'")

    def _mismatch(
        self, theorem: Assertion, proof: Proof, number: int, place: int, found: str, wanted: str
    ) -> NoReturn:
        hypothesis = self.database.assertion(self._name(theorem, proof, number)).hypotheses[place]
        show, code = self.database.show, hypothesis.typecode
        message = f"'{show(code + found)}' for its hypothesis '{hypothesis.label}'"
        self._wrong(theorem, proof, number, message, f"'{show(code + wanted)}'")

    def _not_distinct(
        self, theorem: Assertion, proof: Proof, number: int, variable: str, others: Iterable[str]
    ) -> NoReturn:
        symbol = self.database.symbol
        first, second = symbol(variable), symbol(min(others))
        if first == second:
            self._wrong(theorem, proof, number, f"'{first}' in two substitutions", "no variable in common")
        self._wrong(
            theorem, proof, number, f"'{first}' and '{second}' must be distinct", f"$d {first} {second} $."
        )

    @staticmethod
    def _name(theorem: Assertion, proof: Proof, number: int) -> str:
        return proof.labels[proof.steps[number] - len(theorem.hypotheses)]


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
