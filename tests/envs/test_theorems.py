"""The game of theorems against plain references: truth tables, textbook unification, and the verifier."""

import random
from itertools import product

import numpy as np
import pytest
import torch
from torchrl.envs.utils import check_env_specs

from pvg.envs.backward import BackwardEnv, BackwardGame, backward_examples
from pvg.envs.candidates import Game, Goal, Move
from pvg.envs.derivations import (
    Proof,
    Rejected,
    database_proof,
    examples,
    goal_from,
    needed,
    parts,
    statements,
)
from pvg.envs.schemes import separated
from pvg.envs.statements import Library, Rejection
from pvg.envs.theorems import TheoremEnv
from pvg.envs.theory import Theory
from pvg.envs.written import Writer
from pvg.errors import UserError
from pvg.formal.grammar import Grammar
from pvg.formal.proofs import Verifier
from pvg.formal.prop import PATH
from pvg.formal.reader import read, read_text
from pvg.formal.unify import match


@pytest.fixture(scope="module")
def theory():
    return Theory()


def played(theory, seed, steps, goal=None):
    """A game of choices by chance."""
    chance, game = random.Random(seed), Game(theory.library, goal, theory.candidates)
    for _ in range(steps):
        game.take(chance.randrange(len(game.numbers)))
    return game


# --- truth ---

CONNECTIVES = {
    "w-not": lambda a: not a,
    "w-imp": lambda a, b: not a or b,
    "w-and": lambda a, b: a and b,
    "w-or": lambda a, b: a or b,
    "w-iff": lambda a, b: a == b,
}


def names_in(tree):
    return (
        {tree} if isinstance(tree, str) else set().union(*map(names_in, tree[1:])) if len(tree) > 1 else set()
    )


def value(tree, row):
    if isinstance(tree, str):
        return row[tree]
    return CONNECTIVES[tree[0]](*(value(child, row) for child in tree[1:]))


def is_tautology(tree):
    names = sorted(names_in(tree))
    return all(
        value(tree, dict(zip(names, row, strict=True))) for row in product((True, False), repeat=len(names))
    )


@pytest.mark.parametrize("seed", range(3))
def test_all_that_can_be_proved_is_true(theory, seed):
    game = played(theory, seed, 5)
    trees = [theory.library.tree(n) for n in (*game.nodes, *game.numbers)]
    assert len(trees) > 300
    some = [tree for tree in trees if len(names_in(tree)) <= 6]
    assert all(map(is_tautology, some)) and len(some) > 200
    assert not is_tautology(("w-imp", "a", "b"))


# --- unification ---


def textbook(equations):
    """Martelli and Montanari's rules (1982), on a list of equations; None if there is no unifier."""
    solved, todo = [], list(equations)
    put = lambda t, v, s: s if t == v else t if isinstance(t, str) else (t[0], *[put(c, v, s) for c in t[1:]])  # noqa: E731
    while todo:
        a, b = todo.pop(0)
        if a == b:
            continue
        if isinstance(a, str) or isinstance(b, str):
            v, t = (a, b) if isinstance(a, str) else (b, a)
            if v in names_in(t):
                return None
            todo = [(put(x, v, t), put(y, v, t)) for x, y in todo]
            solved = [(x, put(y, v, t)) for x, y in solved] + [(v, t)]
        elif a[0] != b[0]:
            return None
        else:
            todo += zip(a[1:], b[1:], strict=True)
    return dict(solved)


def named_apart(tree, k):
    return f"{tree}/{k}" if isinstance(tree, str) else (tree[0], *[named_apart(c, k) for c in tree[1:]])


def put_in(tree, found):
    return (
        found.get(tree, tree) if isinstance(tree, str) else (tree[0], *[put_in(c, found) for c in tree[1:]])
    )


def variant(tree, names=None):
    """The tree with its variables numbered in order of first occurrence."""
    names = {} if names is None else names
    if isinstance(tree, str):
        return names.setdefault(tree, len(names))
    return (tree[0], *[variant(child, names) for child in tree[1:]])


def symbols(tree):
    return 1 if isinstance(tree, str) else 1 + sum(map(symbols, tree[1:]))


def reference(library, rule, premises):
    """What a rule proves from statements, numbered; or why it does not."""
    equations = [
        (hypothesis, named_apart(library.tree(n), k))
        for k, (hypothesis, n) in enumerate(zip(rule.hypotheses, premises, strict=True))
    ]
    found = textbook(equations)
    if found is None:
        return Rejection.NO_UNIFIER
    tree = put_in(rule.conclusion, found)
    return variant(tree) if symbols(tree) <= library.longest else Rejection.TOO_LONG


def test_steps_are_most_general(theory):
    library, chance, checked = theory.library, random.Random(0), 0
    game = played(theory, 5, 6)
    numbers = [*game.nodes, *game.numbers[::5]]
    rules = [rule for rule in library.rules if rule.hypotheses]
    for _ in range(3000):
        rule = chance.choice(rules)
        premises = tuple(chance.choice(numbers) for _ in rule.hypotheses)
        found, wanted = library.apply(rule, premises), reference(library, rule, premises)
        if found < 0:
            assert found == wanted
        else:
            assert variant(library.tree(found)) == wanted
            checked += 1
    assert checked > 200


def codes_of(library, tree, names, place=0):
    """What a network sees of a statement, by walking through the tree."""
    labels = list(library.grammar.axioms)
    if isinstance(tree, str):
        token = len(labels) + min(names.setdefault(tree, len(names)), 7)
    elif tree[0] in labels:
        token = labels.index(tree[0])
    else:
        token = len(labels) + 8 + min(int(tree[0][2:]), 7)
    yield 1 + token * 32 + place
    for k, child in enumerate(tree[1:] if isinstance(tree, tuple) else ()):
        yield from codes_of(library, child, names, min(2 * place + (1 if k == 0 else 2), 31))


def test_strings_say_what_trees_do(theory):
    """Codes, reading back, and matching, against the same on trees."""
    library = theory.library
    goals = [proof.goal for proof in theory.proofs[::7]]
    numbers = [*played(theory, 7, 5).numbers, *(library.number(goal.statement) for goal in goals)]
    seen = library.codes(np.array(numbers))
    matched = 0
    for number, row in zip(numbers, seen, strict=True):
        tree = library.tree(number)
        wanted = list(codes_of(library, tree, {}))
        assert row.tolist() == wanted + [0] * (library.longest - len(wanted))
        assert library.number(tree) == number
        for goal in goals[:10]:
            string = library.alphabet.write(goal.statement, {})
            says = match(tree, goal.statement, {}, library.type_of)
            assert library.alphabet.match(library.texts[number], string) == says
            matched += says
    assert len(numbers) > 100 and matched > 5


@pytest.mark.parametrize("seed", range(2))
def test_candidates_that_grew_are_those_from_scratch(theory, seed):
    library = theory.library
    game = played(theory, seed, 5, theory.proofs[-1].goal)
    assert not game.rejected[Rejection.BUDGET]
    wanted = set()
    for rule in library.rules[: game.limit]:
        for premises in product(game.nodes, repeat=len(rule.hypotheses)):
            wanted.add(library.apply(rule, premises))
    wanted = {n for n in wanted if n >= 0}
    assert set(game.numbers) == wanted - set(game.nodes) and len(game.numbers) == len(set(game.numbers))
    for number, rule, premises in zip(game.numbers, game.rules, game.premises, strict=True):
        assert library.apply(library.rules[rule], tuple(game.nodes[m] for m in premises)) == number


# --- proofs ---


@pytest.mark.slow
def test_every_proof_of_the_database_replays_and_is_written_back():
    database = read(PATH)
    verifier = Verifier(database)
    library = Library(database, Grammar(database), (), longest=40, premises=4)
    writer = Writer(library, verifier)
    done: list[str] = []
    texts: list[str] = []
    for theorem in database.theorems:
        proof = database_proof(library, verifier, theorem)
        if len(proof.moves) > 12:
            continue
        if max(len(library.by_label[move.label].hypotheses) for move in proof.moves) <= 2:
            states, game = examples(library, proof, most=100_000)
            assert game.solved and all(state.right for state in states), theorem.label
        written = writer(proof, f"again-{theorem.label}")
        assert written is not None, theorem.label
        texts.append(written.text)
        done.append(f"again-{theorem.label}")
    whole = read_text(PATH.read_text() + "".join(texts))
    verify = Verifier(whole)
    assert all(verify(whole.labels[label]) for label in done) and len(done) > 280


def test_a_prover_cites_what_comes_before_and_nothing_held_out(theory):
    goal = theory.proofs[40].goal
    assert goal is not None and goal.order is not None
    game, held_out = Game(theory.library, goal), {a.label for a in theory.test}
    while len(game.nodes) < 4:
        game.take(len(game.numbers) // 2)
    for rule in game.rules:
        assert theory.library.rules[rule].order < goal.order
    assert not held_out & {rule.label for rule in theory.library.rules}
    assert Game(theory.library).limit == len(theory.library.rules)


def test_parts_of_a_proof_prove_themselves(theory):
    play = tuple(played(theory, 3, 6).moves)
    numbers = statements(theory.library, None, play)
    for number, part in zip(numbers, parts(theory.library, Proof(None, play)), strict=True):
        assert statements(theory.library, None, part.moves)[-1] == number
        written = theory.writer(part, "part")
        assert written is None or "part $p" in written.text


def test_needed_leaves_out_what_is_not(theory):
    a, b = Move("ax-k"), Move("ax-s")
    mp = Move("mp", (0, 2))
    assert needed(None, [a, b, Move("refl"), mp], 3) == [a, Move("refl"), Move("mp", (0, 1))]


@pytest.mark.parametrize("what", ["assertion", "budget"])
def test_what_can_not_be_replayed_is_said(theory, what):
    name = f"{theory.database.codes['wff']}0"
    goal = goal_from(theory.library, theory.library.number(("w-imp", name, name)))
    if what == "assertion":
        with pytest.raises(Rejected) as said:
            examples(theory.library, Proof(goal, (Move(theory.test[0].label),)))
        assert said.value.reason == Rejection.NOT_CITED
    else:
        with pytest.raises(Rejected) as said:
            examples(theory.library, Proof(goal, (Move("refl"),)), most=1)
        assert said.value.reason == Rejection.BUDGET


# --- distinct variables ---

SETS = """
$c |- wff setvar ( ) -> A. $.  $v ph ps x y $.
wph $f wff ph $.  wps $f wff ps $.  vx $f setvar x $.  vy $f setvar y $.
wi $a wff ( ph -> ps ) $.  wal $a wff A. x ph $.
ax-1 $a |- ( ph -> ( ps -> ph ) ) $.
${ mp.1 $e |- ph $.  mp.2 $e |- ( ph -> ps ) $.  mp $a |- ps $. $}
${ $d x ph $.  ax-5 $a |- ( ph -> A. x ph ) $. $}
${ gen.1 $e |- ph $.  gen $a |- A. x ph $. $}
${ $d x ph $.  free $p |- ( ph -> A. x ph ) $= wph vx ax-5 $. $}
"""


@pytest.fixture(scope="module")
def sets():
    database = read_text(SETS)
    grammar, verifier = Grammar(database), Verifier(database)
    library = Library(database, grammar, ("free",), longest=12)
    return library, Writer(library, verifier), database


def test_a_statement_keeps_its_distinct_variables(sets):
    library, writer, _ = sets
    rule = library.by_label["ax-5"]
    number = library.apply(rule, ())
    assert len(library.apart[number]) == 1
    goal = goal_from(library, number)
    assert len(goal.distinct) == 1
    written = writer(Proof(goal, (Move("ax-5"),)), "kept")
    assert written is not None and "$d ph x $." in written.text
    # the same without the condition is another goal, which it does not prove
    free = Goal(goal.statement)
    assert Game(library, goal).find(number) is not None
    assert Game(library, goal).features[Game(library, goal).find(number)][0] == 1
    assert Game(library, free).features[Game(library, free).find(number)][0] == 0


def test_a_goal_that_would_break_a_condition_is_not_proved(sets):
    library, _, database = sets
    x, ph = (f"{database.codes['setvar']}!0",), (f"{database.codes['wff']}!1",)
    inner = ("wal", x, ph)
    number = library.apply(library.by_label["ax-5"], ())
    # x is in what ph would stand for: Metamath's condition forbids that whatever it means
    game = Game(library, Goal(("wi", inner, ("wal", x, inner)), distinct=frozenset({(x[0], ph[0])})))
    assert not game.proves(number)
    assert game.proves(library.number(("wi", f"{database.codes['wff']}0", f"{database.codes['wff']}1")))


def test_conditions_are_met_or_not_by_what_stands_for_the_variables(sets):
    library, _, _ = sets
    ((one, other),) = library.conditions(library.by_label["ax-5"], ())
    assert separated([(one, other)], {one: "sx", other: "sx"}) is None
    assert separated([(one, other)], {one: "sx", other: ("wal", "sy", "wp")}) == {("sx", "sy"), ("sx", "wp")}


# --- the environment ---


@pytest.mark.parametrize("make", [TheoremEnv, BackwardEnv])
def test_specs(theory, make):
    check_env_specs(make(theory, 3))


def test_specs_of_a_generator(theory):
    check_env_specs(TheoremEnv(theory, 3, generator=True))


def test_games_begin_again_alone(theory):
    env = TheoremEnv(theory, 2, budget=2)
    td = env.reset()
    td = env.step(td.set("action", torch.tensor([1, 1])))["next"]
    reset = torch.tensor([[True], [False]])
    after = env.reset(td.clone().set("_reset", reset))
    assert env.moves == [0, 1] and (after["nodes"][1] == td["nodes"][1]).all()
    assert (after["nodes"][1] > 0).sum() == (after["nodes"][0] > 0).sum() + 1 or env.games[0].goal.hypotheses


def test_the_reward_is_for_the_goal(theory):
    proof = theory.proofs[10]
    env = TheoremEnv(theory, 1, goals=[proof.goal])
    td, rewards = env.reset(), []
    numbers = statements(theory.library, proof.goal, proof.moves)[len(proof.goal.hypotheses) :]
    for number in numbers:
        td = env.step(td.set("action", torch.tensor([env.games[0].find(number) + 1])))["next"]
        rewards.append(float(td["reward"]))
    assert rewards == [0.0] * (len(numbers) - 1) + [1.0] and bool(td["done"])


# --- backward ---


def test_a_proof_played_from_its_end_proves_its_goal(theory):
    solved = 0
    for proof in theory.proofs[::5]:
        try:
            states = backward_examples(theory.library, proof)
        except Rejected:
            continue
        game = BackwardGame(theory.library, proof.goal)
        for state in states:
            game.take(state.right[0] - 1)
        assert game.solved and theory.writer(Proof(proof.goal, tuple(game.moves)), "back") is not None
        solved += 1
    assert solved > 40


def test_the_user_is_told(tmp_path):
    for arguments in ({"moves": 0}, {"until": "nothing"}, {"database": str(tmp_path / "none.mm")}):
        with pytest.raises(UserError):
            Theory(**arguments)
