"""How near a statement brings a goal, against all steps there are."""

import random
from itertools import product

import pytest

from pvg.envs.candidates import NEAR, Game, Goal
from pvg.envs.schemes import rigid, with_suffix
from pvg.envs.theory import Theory
from pvg.formal.unify import substitute, unify


@pytest.fixture(scope="module")
def theory():
    return Theory(moves=8)


def one_step_away(game, number):
    """Whether a step whose premises are nodes, but for this statement in one place, proves the goal."""
    library = game.library
    for rule in library.rules[: game.limit]:
        for place in range(len(rule.hypotheses)):
            others = [game.nodes] * len(rule.hypotheses)
            for premises in product(*(o if k != place else [number] for k, o in enumerate(others))):
                result = library.apply(rule, premises)
                if result >= 0 and game.proves(result):
                    return True
    return False


def test_near_means_that_one_step_is_left(theory):
    """In games that were played by chance, for every candidate; no distinct variables in this database."""
    chance, seen = random.Random(0), {True: 0, False: 0}
    for goal in theory.held_out:
        game = Game(theory.library, goal, 1024)
        for _ in range(3):
            some = chance.sample(range(len(game.numbers)), min(8, len(game.numbers)))
            some += [k for k, f in enumerate(game.features) if f[NEAR] == 1][:10]
            for k in some:
                near = game.features[k][NEAR] == 1
                seen[near] += 1
                assert near == one_step_away(game, game.numbers[k]), (goal.name, game.numbers[k])
            if game.solved or not game.numbers:
                break
            game.take(chance.randrange(len(game.numbers)))
    assert min(seen.values()) > 20, seen


def test_it_does_not_depend_on_what_was_asked_before(theory):
    """Memory is shared by the games with a goal: a fresh library says the same."""
    goal, other = theory.held_out[5], Theory(moves=8)
    for _ in range(2):
        games = [Game(t.library, t.held_out[5], 1024) for t in (theory, other)]
        for _ in range(3):
            shown = [
                [(game.library.key(n), f[NEAR]) for n, f in zip(game.numbers, game.features)]
                for game in games
            ]
            assert shown[0] == shown[1], goal.name
            for game in games:
                game.take(len(game.numbers) // 2)
    assert any(near for _, near in shown[0])


def share(library, goal, tree, limit):
    """1 / premises of the shortest step to a goal that takes this statement; by trees, which the search doesn't use."""
    best = 0.0
    for conclusion, *hypotheses in library.schemes[:limit]:
        found = {}
        if not hypotheses or not unify(conclusion, goal, found, library.type_of):
            continue
        for hypothesis in hypotheses:
            wanted = substitute(hypothesis, found)
            if isinstance(wanted, tuple) and unify(wanted, with_suffix(tree, "'"), {}, library.type_of):
                best = max(best, 1 / len(hypotheses))
    return best


@pytest.mark.parametrize("premises", [2, 3])
def test_before_anything_is_proved_it_is_what_the_shortest_step_lacks(premises):
    theory, seen = Theory(moves=8, premises=premises), set()
    for goal in theory.held_out:
        if not goal.hypotheses:
            game = Game(theory.library, goal, 1024)
            for number, features in zip(game.numbers, game.features):
                known = share(theory.library, goal.statement, theory.library.tree(number), game.limit)
                assert features[NEAR] == known, (goal.name, theory.library.key(number))
                seen.add(known)
    assert {0.0, 0.5, 1.0} <= seen


def test_each_statement_fills_a_premise():
    """Three premises are missing, then two, then one; a statement that fits nowhere changes nothing."""
    theory = Theory(moves=8, premises=3)
    library = theory.library
    whole = (r for r in library.rules if all(isinstance(h, tuple) for h in r.hypotheses))
    rule = next(r for r in whole if len(r.hypotheses) == 3)
    names = {}
    goal = Goal(rigid(rule.conclusion, names, library.type_of))
    premises = [library.number(rigid(h, names, library.type_of)) for h in rule.hypotheses]
    subgoals = Game(library, goal, 1024).subgoals
    for missing, number in zip((3, 2, 1), premises):
        assert subgoals.near([number])[0] >= 1 / missing
        subgoals.prove(number)
