"""Rebuild the embedded Metamath database: `python tools/prop.py` writes pvg/formal/prop.mm from tools/prop.txt.

The outline, prop.txt, states axioms and theorems and has no proofs.  Here they are searched for, in the outline's
order: backward from the goal, by unification with the hypotheses and the assertions before it, cheapest first.
Where that would take too long, the outline states what to prove on the way; every such line is searched for by
itself and then serves as a hypothesis.  No proof uses a theorem of `pvg.formal.prop.TEST`.
"""

import re
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pvg.formal.prop import PATH, TEST

OUTLINE = Path(__file__).with_suffix(".txt")
VARIABLES = ["ph", "ps", "ch", "th", "ta"]
SYNTAX = {"-.": "w-not", "->": "w-imp", "/\\": "w-and", "\\/": "w-or", "<->": "w-iff"}
MOST_COST = 12
MOST_MATCHES = 100_000  # counted, not timed: the same file comes out on every machine

# A formula is a variable's name, or a connective and its formulas.  While a proof is sought, an integer stands for a
# formula not known yet.
Formula = str | int | tuple
# A proof is a label and the proofs that it takes, those of the substituted formulas first, as Metamath has it.
Proof = tuple


@dataclass
class Assertion:
    label: str
    hypotheses: list[Formula]
    conclusion: Formula
    axiom: bool = False
    note: str = ""
    lemmas: list[Formula] = field(default_factory=list)

    def __post_init__(self):
        used = set().union(*map(variables, [*self.hypotheses, self.conclusion]))
        self.variables = [name for name in VARIABLES if name in used]
        # Backward, what the conclusion does not say must be guessed, which multiplies the ways to go on.
        self.cost = 1 + len(used - variables(self.conclusion))
        if isinstance(self.conclusion, str) and self.label != "mp":
            self.cost += 1  # fits every goal


# --- reading and writing formulas ---


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


def variables(formula: Formula) -> set[str]:
    if isinstance(formula, tuple):
        return set().union(*map(variables, formula[1:]))
    return {formula}


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


# --- search ---

# A truth table is an integer, a bit for every way to choose the variables' truth.
ROWS = (1 << (1 << len(VARIABLES))) - 1
TABLE = {
    name: sum(1 << row for row in range(1 << len(VARIABLES)) if row >> i & 1)
    for i, name in enumerate(VARIABLES)
}


def bounds(formula: Formula) -> tuple[int, int]:
    """The rows where a formula is true whatever its unknowns are, and those where it may be true."""
    if isinstance(formula, str):
        return TABLE[formula], TABLE[formula]
    if isinstance(formula, int):
        return 0, ROWS
    (low, high), *others = map(bounds, formula[1:])
    if not others:
        return ROWS ^ high, ROWS ^ low
    ((least, most),) = others
    if formula[0] == "/\\":
        return low & least, high & most
    if formula[0] == "\\/":
        return low | least, high | most
    forth = (ROWS ^ high | least, ROWS ^ low | most)
    if formula[0] == "->":
        return forth
    return forth[0] & (ROWS ^ most | low), forth[1] & (ROWS ^ least | high)


def shape(formula: Formula, pattern: bool = False) -> tuple:
    """A formula's connective and those below it, or "" for a variable; None where anything may come."""
    unknown = str if pattern else int
    parts = (formula, *formula[1:]) if isinstance(formula, tuple) else (formula,)
    heads = (
        part[0] if isinstance(part, tuple) else None if isinstance(part, unknown) else "" for part in parts
    )
    return (*heads, None, None)[:3]


class Search:
    """Proofs from `facts` (formulas with their proofs) and the assertions of `library`.

    A goal without unknowns is a search of its own, whose outcome is kept: the cheapest proof, or what cost is too low.
    Other goals share their unknowns with others, so each way to prove one is tried before the rest.  What can't follow,
    as truth tables show, is not tried.
    """

    def __init__(self, library: list[Assertion], facts: list[tuple[Formula, Proof]], default: str):
        self.library, self.facts, self.default = library, facts, default
        self.bound: dict[int, Formula] = {}
        self.trail: list[int] = []
        self.unknowns = self.matches = 0
        self.proved: dict[Formula, tuple[int, Proof]] = {formula: (0, proof) for formula, proof in facts}
        self.too_low: dict[Formula, int] = {}
        self.sound: dict[Formula, bool] = {}  # formulas without unknowns: whether they follow
        self.by_shape: dict[tuple, list[Assertion]] = {}
        self.premises = ROWS
        for formula, _ in facts:
            self.premises &= bounds(formula)[1]

    def cheapest(self, goal: Formula, most: int) -> tuple[int, Proof] | None:
        """The lowest cost, at most `most`, of proving a goal without unknowns, and the proof."""
        for cost in range(self.too_low.get(goal, 0) + 1, most + 1):
            if goal in self.proved:
                break
            place: list = [None]
            mark = len(self.trail)
            if self.expand(goal, place, 0, [], cost):
                self.proved[goal] = (cost, self.proof(place[0]))
            elif self.matches > MOST_MATCHES:
                return None
            else:
                self.too_low[goal] = cost
            self.undo(mark)
        found = self.proved.get(goal)
        return found if found and found[0] <= most else None

    def solve(self, goals: list, budget: int) -> bool:
        """Fill the place of every goal (formula, list, index) with assertions that cost no more than the budget."""
        if not goals:
            return True
        goals = [(goal if goal in self.sound else self.filled(goal), *rest) for goal, *rest in goals]
        if self.matches > MOST_MATCHES or not all(self.possible(goal) for goal, _, _ in goals):
            return False
        if sum(not self.given(goal) for goal, _, _ in goals) > budget:
            return False
        # The goal that says most comes first; what is wholly unknown may be known by its turn.
        chosen = max(range(len(goals)), key=lambda i: self.weight(goals[i][0]))
        goal, place, index = goals[chosen]
        rest = goals[:chosen] + goals[chosen + 1 :]
        if goal in self.sound:
            found = self.cheapest(goal, budget)
            if found is None:
                return False
            place[index] = found[1]
            return self.solve(rest, budget - found[0])
        mark = len(self.trail)
        for fact, proof in self.facts:
            if self.unify(fact, goal):
                place[index] = proof
                if self.solve(rest, budget):
                    return True
            self.undo(mark)
        return budget > 0 and self.expand(goal, place, index, rest, budget)

    def expand(self, goal: Formula, place: list, index: int, rest: list, budget: int) -> bool:
        """Prove the goal by an assertion, then its premises and the rest."""
        mark = len(self.trail)
        for assertion in self.candidates(goal):
            if assertion.cost > budget:
                continue
            self.matches += 1
            values: dict[str, Formula] = {}
            if self.match(assertion.conclusion, values, goal):
                premises: list = [None] * len(assertion.hypotheses)
                place[index] = (assertion, values, premises)
                goals = [(self.instance(h, values), premises, i) for i, h in enumerate(assertion.hypotheses)]
                if self.solve(rest + goals, budget - assertion.cost):
                    return True
            self.undo(mark)
        return False

    def candidates(self, goal: Formula) -> list[Assertion]:
        """The assertions whose conclusions have the goal's connectives, as far as the two outermost levels say."""
        top = shape(goal)
        if top not in self.by_shape:
            self.by_shape[top] = [
                assertion
                for assertion in self.library
                if all(
                    a is None or b is None or a == b for a, b in zip(shape(assertion.conclusion, True), top)
                )
            ]
        return self.by_shape[top]

    def filled(self, formula: Formula) -> Formula:
        formula = self.value(formula)
        if isinstance(formula, tuple):
            return (formula[0], *map(self.filled, formula[1:]))
        return formula

    def open(self, formula: Formula) -> bool:
        if isinstance(formula, tuple):
            return any(map(self.open, formula[1:]))
        return isinstance(formula, int)

    def possible(self, goal: Formula) -> bool:
        """Whether the goal follows from the facts by truth tables, or may for some choice of its unknowns."""
        if goal not in self.sound:
            possible = not self.premises & ~bounds(goal)[1]
            if self.open(goal):
                return possible
            self.sound[goal] = possible
        return self.sound[goal]

    def given(self, goal: Formula) -> bool:
        """Whether a fact could prove the goal."""
        mark = len(self.trail)
        for fact, _ in self.facts:
            found = self.unify(fact, goal)
            self.undo(mark)
            if found:
                return True
        return False

    def weight(self, formula: Formula) -> int:
        if isinstance(formula, tuple):
            return 1 + sum(map(self.weight, formula[1:]))
        return 1 if isinstance(formula, str) else -2

    def value(self, formula: Formula) -> Formula:
        while isinstance(formula, int) and formula in self.bound:
            formula = self.bound[formula]
        return formula

    def match(self, pattern: Formula, values: dict[str, Formula], formula: Formula) -> bool:
        """Unify an assertion's formula, whose variables take `values`, with a formula of the search."""
        if isinstance(pattern, str):
            if pattern in values:
                return self.unify(values[pattern], formula)
            values[pattern] = formula
            return True
        formula = self.value(formula)
        if isinstance(formula, int):
            return self.bind(formula, self.instance(pattern, values))
        if isinstance(formula, str) or pattern[0] != formula[0]:
            return False
        if not self.match(pattern[1], values, formula[1]):
            return False
        return len(pattern) == 2 or self.match(pattern[2], values, formula[2])

    def instance(self, pattern: Formula, values: dict[str, Formula]) -> Formula:
        if isinstance(pattern, tuple):
            return (pattern[0], *(self.instance(p, values) for p in pattern[1:]))
        if pattern not in values:
            self.unknowns += 1
            values[pattern] = self.unknowns
        return values[pattern]

    def unify(self, a: Formula, b: Formula) -> bool:
        a, b = self.value(a), self.value(b)
        if isinstance(a, int):
            return a == b or self.bind(a, b)
        if isinstance(b, int):
            return self.bind(b, a)
        if isinstance(a, str) or isinstance(b, str):
            return a == b
        if a[0] != b[0] or not self.unify(a[1], b[1]):
            return False
        return len(a) == 2 or self.unify(a[2], b[2])

    def bind(self, unknown: int, formula: Formula) -> bool:
        if self.occurs(unknown, formula):
            return False
        self.bound[unknown] = formula
        self.trail.append(unknown)
        return True

    def occurs(self, unknown: int, formula: Formula) -> bool:
        formula = self.value(formula)
        if isinstance(formula, tuple):
            return any(self.occurs(unknown, part) for part in formula[1:])
        return unknown == formula

    def undo(self, mark: int) -> None:
        while len(self.trail) > mark:
            del self.bound[self.trail.pop()]

    def proof(self, node: tuple) -> Proof:
        if isinstance(node[0], str):
            return node
        assertion, values, premises = node
        formulas = [self.syntax(values[name]) for name in assertion.variables]
        return (assertion.label, *formulas, *map(self.proof, premises))

    def syntax(self, formula: Formula) -> Proof:
        formula = self.value(formula)
        if isinstance(formula, tuple):
            return (SYNTAX[formula[0]], *map(self.syntax, formula[1:]))
        return (f"v-{self.default if isinstance(formula, int) else formula}",)


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


# --- writing ---


def compress(proof: Proof, theorem: Assertion) -> str:
    """The proof in Metamath's compressed form: labels once, then letters; a part used again is marked with Z."""
    times: Counter[Proof] = Counter()
    count(proof, times)
    mandatory = [f"v-{name}" for name in theorem.variables]
    mandatory += [f"{theorem.label}.{i}" for i, _ in enumerate(theorem.hypotheses, 1)]
    labels = list(dict.fromkeys(part[0] for part in times if part[0] not in mandatory))
    number = {label: i for i, label in enumerate(mandatory + labels, 1)}
    marked: dict[Proof, int] = {}
    letters = []

    def write(part: Proof) -> None:
        if part in marked:
            letters.append(code(marked[part]))
            return
        for below in part[1:]:
            write(below)
        letters.append(code(number[part[0]]))
        if times[part] > 1 and len(part) > 1:
            letters.append("Z")
            marked[part] = len(number) + len(marked) + 1

    write(proof)
    body = textwrap.wrap("".join(letters), 74)
    return "\n".join(textwrap.wrap(f"( {' '.join(labels)} )", 74, break_on_hyphens=False) + body)


def count(proof: Proof, times: Counter) -> None:
    times[proof] += 1
    if times[proof] == 1:
        for below in proof[1:]:
            count(below, times)


def code(number: int) -> str:
    """A to T for 1 to 20; before that, as many of U to Y as the number needs (Megill and Wheeler, 2019)."""
    rest, last = divmod(number - 1, 20)
    letters = "ABCDEFGHIJKLMNOPQRST"[last]
    while rest:
        rest, digit = divmod(rest - 1, 5)
        letters = "UVWXY"[digit] + letters
    return letters


def statement(assertion: Assertion, proof: Proof | None) -> str:
    lines = [
        f"{assertion.label}.{i} $e |- {show(hypothesis)} $."
        for i, hypothesis in enumerate(assertion.hypotheses, 1)
    ]
    comment = textwrap.fill(f"$( {assertion.note} $)", 76, subsequent_indent="   ", break_on_hyphens=False)
    lines += comment.splitlines()
    kind, end = ("$a", "$.") if proof is None else ("$p", "$=")
    stated = f"{assertion.label} {kind} |- {show(assertion.conclusion)} {end}"
    lines += textwrap.wrap(stated, 76, subsequent_indent="    ", break_on_hyphens=False)
    if proof is not None:
        lines += [f"  {line}" for line in compress(proof, assertion).splitlines()]
        lines[-1] += " $."
    if assertion.hypotheses:
        return "\n".join(["${", *(f"  {line}" for line in lines), "$}"])
    return "\n".join(lines)


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


def database(text: str) -> str:
    """The database, with proofs, of an outline."""
    parts = [HEADER.strip(), f"$v {' '.join(VARIABLES)} $."]
    parts.append("\n".join(f"v-{name} $f wff {name} $." for name in VARIABLES))
    for connective, label in SYNTAX.items():
        shape = "-. ph" if connective == "-." else f"( ph {connective} ps )"
        parts.append(f"$( {COMMENTS[label]} $)\n{label} $a wff {shape} $.")
    library: list[Assertion] = []
    for item in outline(text):
        if isinstance(item, str):
            parts.append(f"$( ---- {item} ---- $)")
            continue
        proof = None if item.axiom else prove(item, library)
        if item.label not in TEST:
            library.append(item)
        parts.append(statement(item, proof))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PATH.write_text(database(OUTLINE.read_text()))
