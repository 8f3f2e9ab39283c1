"""Rebuild the embedded Metamath database: `python tools/prop.py` writes pvg/formal/prop.mm from tools/prop.txt.

The outline, prop.txt, states axioms and theorems and has no proofs.  Here they are searched for, in the outline's
order: backward from the goal, by unification with the hypotheses and the assertions before it, cheapest first.
Where that would take too long, the outline states what to prove on the way; every such line is searched for by
itself and then serves as a hypothesis.  No proof uses a theorem of `pvg.formal.prop.TEST`.
"""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from prop_search import SYNTAX, VARIABLES, Assertion, Formula, Proof, Search

from pvg.formal.dag import compress, dag
from pvg.formal.proofs import Verifier
from pvg.formal.prop import PATH, TEST
from pvg.formal.reader import read_text

OUTLINE = Path(__file__).with_suffix(".txt")
MOST_COST = 12

# --- the outline ---


def parse(text: str) -> Formula:
    def formula() -> Formula:
        token = next(tokens)
        if token == "-.":
            return ("-.", formula())
        if token != "(":
            if token not in VARIABLES:
                raise ValueError(f"{token!r} is no variable in {text!r}")
            return token
        left, connective, right = formula(), next(tokens), formula()
        if next(tokens) != ")" or connective not in SYNTAX:
            raise ValueError(f"brackets or connectives are wrong in {text!r}")
        return (connective, left, right)

    tokens = iter(text.split())
    parsed = formula()
    if (rest := next(tokens, None)) is not None:
        raise ValueError(f"{rest!r} is left over in {text!r}")
    return parsed


def show(formula: Formula) -> str:
    if not isinstance(formula, tuple):
        return str(formula)
    if len(formula) == 2:
        return f"-. {show(formula[1])}"
    return f"( {show(formula[1])} {formula[0]} {show(formula[2])} )"


def outline(text: str) -> Iterator[str | Assertion]:
    """The headings, as strings, and the assertions, in order."""
    current = None
    for line in filter(str.strip, text.splitlines()):
        if line.startswith("#"):
            current = yield from [] if current is None else [current]
            yield line.strip("# ")
        elif not line.startswith(" "):
            if current:
                yield current
            head, conclusion = line.split("|-")
            words = re.fullmatch(r"(axiom +)?(\S+)\s*(.*)", head.strip())
            hypotheses = [parse(part) for part in words[3].split(",") if part.strip()]
            current = Assertion(words[2], hypotheses, parse(conclusion), axiom=bool(words[1]))
        elif line.strip().startswith("|-"):
            current.lemmas.append(parse(line.strip()[2:]))
        else:
            current.note = f"{current.note} {line.strip()}".strip()
    if current:
        yield current


# --- proofs ---


def prove(theorem: Assertion, library: list[Assertion]) -> Proof:
    """A proof of the theorem; ValueError for a line that is no consequence, was not proved, or was in vain."""
    facts = [(h, (f"{theorem.label}.{i}",)) for i, h in enumerate(theorem.hypotheses, 1)]
    for goal in [*theorem.lemmas, theorem.conclusion]:
        search = Search(library, facts, theorem.variables[0])
        if not search.possible(goal):
            raise ValueError(f"{theorem.label}: {show(goal)} does not follow, its truth table says")
        found = search.cheapest(goal, MOST_COST)
        if found is None:
            raise ValueError(f"{theorem.label}: no proof found of {show(goal)}")
        proof = found[1]
        facts.append((goal, proof))
    for lemma, part in facts[len(theorem.hypotheses) : -1]:
        if not within(part, proof):
            raise ValueError(f"{theorem.label}: needs no {show(lemma)}")
    return proof


def within(part: Proof, proof: Proof) -> bool:
    return part == proof or any(within(part, below) for below in proof[1:])


def normal(proof: Proof) -> Iterator[str]:
    """The labels of a proof in reverse Polish order."""
    for below in proof[1:]:
        yield from normal(below)
    yield proof[0]


# --- writing ---

HEADER = r"""
$( Propositional calculus, from modus ponens, three axioms for implication
   and negation, and definitions of conjunction, disjunction and
   biconditional.  tools/prop.py wrote this file from tools/prop.txt;
   pvg/formal/prop.py names the theorems kept aside for tests. $)

$c ( ) -> -. /\ \/ <-> wff |- $.
"""
COMMENTS = {
    "w-not": "not",
    "w-imp": "if ... then ...",
    "w-and": "... and ...",
    "w-or": "... or ..., or both",
    "w-iff": "... if and only if ...",
}


def statement(assertion: Assertion, proof: str | None) -> str:
    lines = [
        f"{assertion.label}.{i} $e |- {show(hypothesis)} $."
        for i, hypothesis in enumerate(assertion.hypotheses, 1)
    ]
    lines += wrapped(f"$( {assertion.note} $)", "   ")
    kind, end = ("$a", "$.") if proof is None else ("$p", "$=")
    lines += wrapped(f"{assertion.label} {kind} |- {show(assertion.conclusion)} {end}", "    ")
    if proof is not None:
        lines += [f"  {line}" for line in wrapped(re.sub(r"([A-Z]{70})", r"\1 ", proof), "", 72)]
        lines[-1] += " $."
    if assertion.hypotheses:
        return "\n".join(["${", *(f"  {line}" for line in lines), "$}"])
    return "\n".join(lines)


def wrapped(text: str, indent: str, width: int = 76) -> list[str]:
    return textwrap.wrap(
        text, width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )


def written(items: list[str | Assertion], proofs: dict[str, str]) -> str:
    parts = [HEADER.strip(), f"$v {' '.join(VARIABLES)} $."]
    parts.append("\n".join(f"v-{name} $f wff {name} $." for name in VARIABLES))
    for connective, label in SYNTAX.items():
        shape = "-. ph" if connective == "-." else f"( ph {connective} ps )"
        parts.append(f"$( {COMMENTS[label]} $)\n{label} $a wff {shape} $.")
    for item in items:
        parts.append(
            f"$( ---- {item} ---- $)" if isinstance(item, str) else statement(item, proofs.get(item.label))
        )
    return "\n\n".join(parts) + "\n"


def database(text: str) -> str:
    """The database, with proofs, of an outline."""
    items = list(outline(text))
    library: list[Assertion] = []
    proofs = {}
    for item in items:
        if isinstance(item, Assertion):
            if not item.axiom:
                proofs[item.label] = " ".join(normal(prove(item, library)))
            if item.label not in TEST:
                library.append(item)
    verifier = Verifier(read_text(written(items, proofs)))
    return written(items, {t.label: compress(t, dag(verifier, t)) for t in verifier.database.theorems})


if __name__ == "__main__":
    PATH.write_text(database(OUTLINE.read_text()))
