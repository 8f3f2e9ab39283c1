"""An attack on a frozen verifier: provers become more convincing, or less where they are paid for that.

All in one process and in seconds: the problems are solved by copying a number.
"""

import random

import pytest
import torch

from pvg.agents.family import Family, Tiny
from pvg.envs.problems import Problem
from pvg.language.grader import Grader
from pvg.language.sampler import TorchEngine
from pvg.trainers.policy_gradient import PolicyGradient
from pvg.trainers.rewards import cgc, src
from pvg.trainers.rounds import Rounds
from pvg.trainers.supervised import Descent, Start

STYLES = ("{count} {things} . #### {count}", "{name} has {count} . #### {count}", "so {count} . #### {count}")
DRAW = random.Random(0)  # nothing tells which style is to come, so that provers have a choice
PROBLEMS = [
    Problem(
        f"{name} has {count} {things} .",
        DRAW.choice(STYLES).format(name=name, count=count, things=things),
        str(count),
    )
    for count in range(2, 40)
    for name in ("Ann", "Ben")
    for things in ("pens", "books", "coins")
]


def rounds(cast, engine, grader, reward, *parts):
    """A game of which only some parts are played."""
    made = Rounds(
        cast.book,
        cast.prover,
        cast.verifier,
        engine,
        grader,
        rounds=1,
        start=Start(200, 200, enough=None, descent=Descent(learning_rate=6e-3, batch=64)),
        provers=PolicyGradient(
            iterations=20, problems=12, lessons=0.0, descent=Descent(learning_rate=2e-3, batch=192)
        ),
        reward=reward,
        test=40,
    )
    made.schedule = [step for step in made.schedule if step[0] in parts]
    made.iterations = len(made.schedule)
    return made


@pytest.fixture(scope="module")
def stage():
    """Provers who keep their roles, and a verifier that expects right solutions."""
    cast = Family(tiny=Tiny(32, 2, 2, 64), tiny_verifier=Tiny(16, 1, 1, 32), most=12).make(PROBLEMS, 0, "cpu")
    with TorchEngine(cast.folder, slots=128) as engine, Grader() as grader:
        start = rounds(cast, engine, grader, cgc, "imitate", "read", "begin")
        start.train()
        torch.manual_seed(0)
        start.begun["verifier"]["head.weight"].normal_(std=0.5)  # a taste, as any verifier has one
        yield cast, engine, grader, start.begun


def convincing(trainer):
    """Shares of what each role says as it should that the verifier accepts, and the scores of all that."""
    rows, score = trainer._scored(trainer._judged(trainer.held_out, trainer.roles, 6), "held out")
    sneaky = (rows["role"] == 0) & (rows["verdict"] == 0)
    helpful = (rows["role"] == 1) & (rows["verdict"] == 1)
    assert sneaky.sum() >= 40 and helpful.sum() >= 40
    return (
        float((score[sneaky] > 0).float().mean()),
        float((score[helpful] > 0).float().mean()),
        score[sneaky],
    )


@pytest.mark.parametrize("reward", [cgc, src])
@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["as it is", "negated"])
def test_an_attack_convinces_and_a_negated_reward_does_the_opposite(stage, reward, sign):
    cast, engine, grader, begun = stage
    for name in ("prover", "verifier"):
        getattr(cast, name).restore(begun[name])

    def paid(score, *others):
        return reward(sign * score, *others)

    game = rounds(cast, engine, grader, paid, "begin", "attack", "exploit")
    game.sync()
    with torch.no_grad():  # half of the lies pass, so that there is room on both sides
        cast.verifier.bias.sub_(convincing(game)[2].median())
    frozen = [weight.clone() for weight in cast.verifier.parameters()]
    fooled, trusted, _ = convincing(game)
    game.train()
    assert all(torch.equal(a, b) for a, b in zip(frozen, cast.verifier.parameters(), strict=True))
    fooled_after, trusted_after, _ = convincing(game)
    assert sign * (fooled_after - fooled) > 0.15
    assert sign * (trusted_after - trusted) > 0.02


def test_a_verifier_reads_until_it_knows_enough(stage):
    _, engine, grader, _ = stage
    fresh = Family(tiny=Tiny(32, 2, 2, 64), tiny_verifier=Tiny(16, 1, 1, 32), most=12).make(
        PROBLEMS, 0, "cpu"
    )
    game = rounds(fresh, engine, grader, cgc, "read")
    game.start.enough = 2.0
    kept, losses, weights = {}, [], fresh.verifier.model.state_dict()

    def report(iteration, metrics):
        if "verifier/imitation" in metrics:
            losses.append(metrics["verifier/imitation"])
        if game.surprise <= 2.0 and not kept:
            kept.update({name: x.clone() for name, x in weights.items()})

    game.train(report)
    mean = losses[0]
    for loss in losses[1:]:
        assert mean > 2.0
        mean = 0.9 * mean + 0.1 * loss
    assert mean <= 2.0 and len(losses) < 200
    assert all(torch.equal(x, kept[name]) for name, x in weights.items())
