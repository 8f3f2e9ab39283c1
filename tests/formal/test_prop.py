"""The embedded database: every theorem is a tautology and is proved, and the tests are kept apart from the proofs."""

import importlib
import itertools
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pvg.formal.dag import dag
from pvg.formal.proofs import Verifier
from pvg.formal.prop import PATH, TEST
from pvg.formal.reader import read
from pvg.formal.verify import verify

ROOT = Path(__file__).parent.parent.parent
MEANING = {
    "->": lambda a, b: b or not a,
    "/\\": lambda a, b: a and b,
    "\\/": lambda a, b: a or b,
    "<->": lambda a, b: a == b,
}
CONNECTIVE = {"w-not": "-.", "w-imp": "->", "w-and": "/\\", "w-or": "\\/", "w-iff": "<->"}


# --- a plain reference: formulas as tuples, truth tables, instances ---


def parse(text):
    def formula(tokens):
        token = tokens.pop(0)
        if token == "-.":
            return ("-.", formula(tokens))
        if token != "(":
            assert token.isalpha()
            return token
        left, connective, right, closing = formula(tokens), tokens.pop(0), formula(tokens), tokens.pop(0)
        assert connective in MEANING and closing == ")"
        return (connective, left, right)

    tokens = text.split()
    parsed = formula(tokens)
    assert not tokens
    return parsed


def names(formula):
    return {formula} if isinstance(formula, str) else set().union(*map(names, formula[1:]))


def holds(formula, truth):
    if isinstance(formula, str):
        return truth[formula]
    parts = [holds(part, truth) for part in formula[1:]]
    return not parts[0] if formula[0] == "-." else MEANING[formula[0]](*parts)


def entails(premises, conclusion):
    used = sorted(set().union(*map(names, [*premises, conclusion])))
    rows = (dict(zip(used, row)) for row in itertools.product([False, True], repeat=len(used)))
    return all(holds(conclusion, row) for row in rows if all(holds(premise, row) for premise in premises))


def fits(pattern, formula, values):
    """The substitution, with `values`, that makes the pattern the formula; None if there is none."""
    if isinstance(pattern, str):
        return values | {pattern: formula} if values.get(pattern, formula) == formula else None
    if isinstance(formula, str) or pattern[0] != formula[0]:
        return None
    for part, other in zip(pattern[1:], formula[1:]):
        if (values := fits(part, other, values)) is None:
            return None
    return values


def is_instance(special, general):
    """Whether one application of `general` proves `special`, both (premises, conclusion)."""
    start = fits(general[1], special[1], {})
    found = [] if start is None else [start]
    for premise in general[0]:
        found = [w for v in found for other in special[0] if (w := fits(premise, other, v)) is not None]
    return bool(found)


def test_the_reference_tells_right_from_wrong():
    assert entails([], parse("( ( ( ph -> ps ) -> ph ) -> ph )"))
    assert not entails([], parse("( ( ph -> ps ) -> ( ps -> ph ) )"))
    assert not entails([parse("( ph -> ps )"), parse("ps")], parse("ph"))
    identity, distinct = ([], parse("( ph -> ph )")), ([], parse("( ph -> ps )"))
    assert is_instance(identity, distinct) and not is_instance(distinct, identity)
    rule = ([parse("ph"), parse("( ph -> ps )")], "ps")
    assert is_instance(([parse("( ch -> -. ta )"), "ch"], parse("-. ta")), rule)
    assert not is_instance(([parse("( ch -> -. ta )"), "ta"], parse("-. ta")), rule)


# --- the database ---


@pytest.fixture(scope="module")
def database():
    return read(PATH)


@pytest.fixture(scope="module")
def statements(database):
    """Premises and conclusion of every axiom and theorem."""
    return {
        a.label: ([parse(database.show(h.body)) for h in a.essential], parse(database.show(a.body)))
        for a in database.assertions
        if database.show(a.typecode) == "|-"
    }


def test_it_is_propositional_calculus_from_modus_ponens_and_three_axioms(database, statements):
    theorems = [theorem.label for theorem in database.theorems]
    assert len(theorems) >= 150
    axioms = [label for label in statements if label not in set(theorems)]
    assert [label for label in axioms if not label.startswith("def-")] == ["mp", "ax-k", "ax-s", "ax-n"]
    assert len(axioms) == 4 + 2 * 3


def test_every_rule_and_theorem_is_sound(statements):
    assert all(entails(*statement) for statement in statements.values())


def test_every_proof_is_right(database):
    outcome = verify(database)
    assert not outcome.failed and not outcome.incomplete
    assert outcome.verified == sum(1 for _ in database.theorems)


@pytest.mark.skipif(not shutil.which("metamath"), reason="there is no metamath program")
def test_metamath_agrees():
    command = ["metamath", f'read "{PATH.name}"', "verify proof *", "exit"]
    done = subprocess.run(command, cwd=PATH.parent, capture_output=True, text=True, timeout=60)
    assert "All proofs in the database were verified" in done.stdout
    assert "?Error" not in done.stdout and "?Warning" not in done.stdout


# --- the split ---


def test_the_split_is_of_theorems(database):
    theorems = [theorem.label for theorem in database.theorems]
    assert 30 <= len(TEST) <= 60 and len(set(TEST)) == len(TEST)
    assert [label for label in theorems if label in TEST] == list(TEST)  # all there, and in order


def test_no_proof_uses_a_test_theorem(database):
    verifier = Verifier(database)
    for theorem in database.theorems:
        assert not set(verifier.read(theorem, theorem.proof).labels) & set(TEST)


def test_no_theorem_is_an_instance_of_another_assertion(statements):
    pairs = itertools.permutations(statements, 2)
    assert not [(a, b) for a, b in pairs if is_instance(statements[a], statements[b])]


def steps(database, statements, verifier, theorem):
    """The steps of a proof but the last that rest on no premise of the theorem, as formulas."""
    graph = dag(verifier, theorem)
    own = {h.label: h for h in theorem.essential}
    formulas, closed = [], []
    for label, premises in graph.nodes:
        below = [formulas[p] for p in premises]
        closed.append(label not in own and all(closed[p] for p in premises))
        if label in own:
            formulas.append(parse(database.show(own[label].body)))
        elif label in CONNECTIVE:
            formulas.append((CONNECTIVE[label], *below))
        elif not premises:
            formulas.append(database.show(database.labels[label].body))
        else:
            floating = [database.show(h.body) for h in database.labels[label].floating]
            formulas.append(substitute(statements[label][1], dict(zip(floating, below))))
            if closed[-1] and len(formulas) - 1 != graph.root:
                yield formulas[-1]
    assert formulas[graph.root] == statements[theorem.label][1]


def substitute(formula, values):
    if isinstance(formula, str):
        return values[formula]
    return (formula[0], *(substitute(part, values) for part in formula[1:]))


def test_no_proof_proves_a_test_theorem_on_the_way(database, statements):
    closed = {label: statements[label] for label in TEST if not statements[label][0]}
    verifier, seen = Verifier(database), 0
    for theorem in database.theorems:
        for step in steps(database, statements, verifier, theorem):
            seen += 1
            found = [
                label for label in closed if label != theorem.label and is_instance(closed[label], ([], step))
            ]
            assert not found, f"the proof of {theorem.label} proves {found}"
    assert seen > 500


def test_train_and_test_have_easy_and_hard_theorems(database, statements):
    verifier = Verifier(database)
    sizes = {}
    for theorem in database.theorems:
        nodes = {node for node in dag(verifier, theorem).nodes if node[0] in statements}
        sizes.setdefault(theorem.label in TEST, []).append(len(nodes))
    for some in sizes.values():
        assert sum(size <= 3 for size in some) >= 10 and sum(size >= 7 for size in some) >= 10
    assert max(itertools.chain(*sizes.values())) <= 25


# --- the tool ---


@pytest.fixture(scope="module")
def tool():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "tools")
        yield importlib.import_module("prop")


def test_the_outline_states_what_the_database_states(tool, statements):
    items = tool.outline(tool.OUTLINE.read_text())
    outline = {a.label: (a.hypotheses, a.conclusion) for a in items if not isinstance(a, str)}
    assert list(outline.items()) == list(statements.items())


def test_the_tool_says_what_it_could_not_prove(tool):
    text = tool.OUTLINE.read_text().split("# Negation")[0]
    with pytest.raises(ValueError, match=re.escape("fallacy: ( ps -> ph ) does not follow")):
        tool.database(text + "fallacy  ( ph -> ps ) |- ( ps -> ph )\n")
    with pytest.raises(ValueError, match="needs no"):
        tool.database(text + "vain  |- ( ph -> ph )\n    |- ( ps -> ps )\n")


@pytest.mark.slow
def test_the_tool_writes_the_database(tool):
    assert tool.database(tool.OUTLINE.read_text()) == PATH.read_text()
