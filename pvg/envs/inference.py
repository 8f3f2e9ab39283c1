"""Rules of inference: assertions of a database as steps use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pvg.envs.schemes import Pairs
from pvg.envs.terms import Alphabet
from pvg.formal.database import Assertion
from pvg.formal.grammar import Grammar, Tree
from pvg.formal.unify import Substitution, replace, variables


class Rule(NamedTuple):
    """An assertion as a step uses it; ``place`` counts citable assertions in the order of the database."""

    place: int
    label: str
    order: int
    hypotheses: tuple[Tree, ...]
    conclusion: Tree
    disjoint: Pairs

    def variables(self) -> dict[str, None]:
        """In the order in which they come, the conclusion's first."""
        return dict.fromkeys(v for tree in (self.conclusion, *self.hypotheses) for v in variables(tree))

    def scheme(self, type_of: Callable[[Tree], str]) -> tuple[Tree, ...]:
        """Conclusion and hypotheses, with variables that are named by their type."""
        names: Substitution = {}
        for name in self.variables():
            names[name] = f"{type_of(name)}{len(names)}"
        return tuple(replace(tree, names) for tree in (self.conclusion, *self.hypotheses))

    def pattern(self, alphabet: Alphabet, which: int) -> list[str]:
        """Hypotheses and conclusion in the alphabet, with variables of a set, and those that must be distinct."""
        names: dict[str, str] = {}
        trees = [alphabet.write(t, names, which) for t in (*self.hypotheses, self.conclusion)]
        return [*trees, *(names[v] for pair in sorted(self.disjoint) for v in pair if v in names)]


def rule_of(grammar: Grammar, place: int, assertion: Assertion) -> Rule:
    """An assertion as a rule."""
    parse = grammar.statement
    hypotheses = tuple(parse(h.statement) for h in assertion.essential)
    conclusion = parse(assertion.statement)
    return Rule(place, assertion.label, assertion.order, hypotheses, conclusion, assertion.disjoint)
