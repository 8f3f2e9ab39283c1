"""How near a statement brings a goal, against all steps there are."""

import random
from itertools import product

import pytest

from pvg.envs.candidates import NEAR, Game
from pvg.envs.theory import Theory


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
