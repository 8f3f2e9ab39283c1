"""Search for proofs of propositional calculus, backward from a goal: for `prop.py` beside this file."""

from dataclasses import dataclass, field

VARIABLES = ["ph", "ps", "ch", "th", "ta"]
SYNTAX = {"-.": "w-not", "->": "w-imp", "/\\": "w-and", "\\/": "w-or", "<->": "w-iff"}
MOST_MATCHES = 100_000  # counted, not timed: the same proofs are found on every machine

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


def variables(formula: Formula) -> set[str]:
    if isinstance(formula, tuple):
        return set().union(*map(variables, formula[1:]))
    return {formula}


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
