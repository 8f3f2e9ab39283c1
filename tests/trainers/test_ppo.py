"""PPO: the same numbers again and after a stop, who learns when, and that it learns."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

from pvg.agents.agent import Agent, RandomAgent
from pvg.agents.graph import GraphNet
from pvg.envs.graph_isomorphism import GraphIsomorphism
from pvg.envs.payoffs import RIGHT
from pvg.envs.protocols import adp, nip
from pvg.evaluation import evaluate
from pvg.trainers.collect import own_turns
from pvg.trainers.ppo import PPO, Learner, Learning
from tests.envs.scenarios import build, cast
from tests.envs.toy import Toy, ToyNet
from tests.trainers.small import same, trainer, weights

ROOT = Path(__file__).parents[2]


# ---------------------------------------------------------------------- the same numbers
def numbers(protocol, scenario, seed=3):
    ppo, log = trainer(protocol, scenario, seed=seed), []
    ppo.train(
        lambda i, metrics: log.append({k: v for k, v in metrics.items() if not k.endswith(("_s", "seconds"))})
    )
    return weights(ppo), log


@pytest.mark.parametrize(
    "protocol, scenario", [("nip", "toy"), ("nip", "graphs"), ("court", "toy"), ("uneven", "toy")]
)
def test_the_same_seed_gives_the_same_numbers_bit_for_bit(protocol, scenario):
    one, again, other = (numbers(protocol, scenario, seed) for seed in (3, 3, 4))
    assert same(one[0], again[0]) == set(one[0]) and repr(one[1]) == repr(again[1])
    assert repr(one[1]) != repr(other[1])


def test_another_process_gives_the_same_numbers_bit_for_bit():
    code = """
import torch
from tests.trainers.test_ppo import numbers
torch.set_num_threads(1)
print({k: v.tolist() for k, v in numbers("nip", "graphs")[0].items()})
"""
    env = os.environ | {"PYTHONHASHSEED": "12345", "TORCHRL_LOGGING": "ERROR"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == repr({k: v.tolist() for k, v in numbers("nip", "graphs")[0].items()})


@pytest.mark.parametrize("protocol", ["nip", "court", "solo"])
def test_a_saved_run_goes_on_to_the_numbers_of_an_unbroken_one(protocol, tmp_path):
    class Enough(Exception):
        pass

    whole = trainer(protocol, iterations=4)
    whole.train()
    half = trainer(protocol, iterations=4)

    def stop(iteration, _):
        if iteration == 2:
            state = [half.state_dict(), half.rollout.state_dict(), torch.get_rng_state()]
            torch.save(state, tmp_path / "state")
            raise Enough

    with pytest.raises(Enough):
        half.train(stop)
    other = trainer(protocol, iterations=4, seed=9)  # other weights, another state of the games
    other.env.set_seed(0)
    state, games, chance = torch.load(tmp_path / "state", weights_only=False)
    other.load_state_dict(state)
    other.rollout.load_state_dict(games)
    torch.set_rng_state(chance)
    other.train()
    assert other.iteration == whole.iteration == 4 and other.turns_done == whole.turns_done
    assert same(weights(whole), weights(other)) == set(weights(whole))


# ---------------------------------------------------------------------- who learns when
def test_frozen_and_random_agents_learn_nothing():
    torch.manual_seed(0)
    env = build("toy", "debate", slots=8)
    agents = cast(env) | {"prover_b": RandomAgent(env, "prover_b")}
    ppo = PPO(env, agents, learning={"prover_a": Learning(frozen=True)}, turns=2000, steps=12)
    before = weights(ppo)
    ppo.train()
    unchanged = same(before, weights(ppo))
    assert unchanged == {k for k in before if k.startswith("prover_")} and len(unchanged) < len(before)
    assert set(ppo.learners) == {"verifier"}
    batch = ppo.rollout.collect()  # a random agent says everything equally often
    words = batch["prover_b", "action"].flatten().bincount(minlength=4)
    assert (words / words.sum() - 0.25).abs().max() < 0.1


def test_every_so_manieth_iteration():
    ppo = trainer(iterations=6, learning={"prover": Learning(every=3), "verifier": Learning()})
    states, last = [], [weights(ppo)]

    def look(*_):
        now = weights(ppo)
        states.append(
            {name: any(k.startswith(name) for k in set(now) - same(last[0], now)) for name in ppo.agents}
        )
        last[0] = now

    ppo.train(look)
    assert [s["verifier"] for s in states] == [True] * 6
    assert [s["prover"] for s in states] == [True, False, False] * 2


def test_an_agent_may_stop_learning():
    ppo = trainer(iterations=4, learning={"prover": Learning(stop=2), "verifier": Learning()})
    log = []
    ppo.train(lambda i, metrics: log.append(["prover/loss" in metrics, "verifier/loss" in metrics]))
    assert log == [[True, True]] * 2 + [[False, True]] * 2


def test_epochs_stop_when_the_policy_has_moved_far():
    def steps(target, rate):
        ppo = trainer(slots=8)
        learner = Learner(ppo.agents["verifier"], Learning(epochs=10, minibatch=10**6, target_kl=target))
        batch, last = ppo.rollout.collect(), ppo.rollout.last_values()
        rows = ppo.advantages(own_turns(batch, last["verifier"], ppo.env, "verifier", ppo.rollout.steps))
        stats = learner.update(rows, supervised=False, rate=rate)
        return next(iter(learner.optimiser.state.values()))["step"].item(), stats["kl"]

    assert steps(None, 0.05)[0] == 10 and steps(0.05, 1e-5)[0] == 10
    count, kl = steps(0.05, 0.05)
    assert 2 <= count < 10 and kl > 0.05


def test_the_learning_rate_decays_to_its_share():
    ppo = trainer(iterations=10)
    how = Learning(learning_rate=0.5, decay=0.8)
    assert ppo.rate(how) == 0.5
    ppo.iteration = 5
    assert ppo.rate(how) == pytest.approx(0.3)
    ppo.iteration = 10
    assert ppo.rate(how) == pytest.approx(0.1)


# ---------------------------------------------------------------------- learning
def test_cooperation_is_learnt_from_nothing():
    """Prover and verifier, both paid for the truth, must agree on a language; the verifier alone knows nothing."""
    torch.manual_seed(0)
    env = Toy(adp(), slots=256, train=2000, test=400, payoffs={"default": RIGHT})
    agents = {n: Agent(env, n, ToyNet) for n in ("prover", "verifier")}
    untrained = evaluate(env, agents)
    PPO(env, agents, turns=2e5, learning={"default": Learning(learning_rate=1e-2, minibatch=512)}).train()
    trained = evaluate(env, agents)
    assert untrained["accuracy"] < 0.7 and trained["accuracy"] > 0.95


def test_a_verifier_learns_to_check_a_prover_that_wants_acceptance():
    torch.manual_seed(0)
    env = Toy(nip(2, first_decision=-1), slots=256, train=2000, test=400)
    agents = {n: Agent(env, n, ToyNet) for n in ("prover", "verifier")}
    untrained = evaluate(env, agents)
    learning = {"prover": Learning(learning_rate=1e-2, pretrain=10), "verifier": Learning(learning_rate=1e-2)}
    PPO(env, agents, turns=3e5, learning=learning).train()
    trained = evaluate(env, agents)
    assert min(untrained[k] for k in ("completeness", "soundness")) < 0.5
    assert min(trained[k] for k in ("completeness", "soundness")) > 0.8


@pytest.mark.slow
def test_a_verifier_learns_to_check_what_it_can_not_find():
    """Graph isomorphism: a verifier of two layers on pairs that two rounds of refinement mostly can't tell apart."""
    torch.manual_seed(0)
    pairs = dict(train=4000, test=500, nodes=(7, 8), scores={2: 0.3, 3: 0.7})
    env = GraphIsomorphism(nip(2, first_decision=-1), slots=256, **pairs)
    agents = {
        "prover": Agent(env, "prover", partial(GraphNet, layers=3)),
        "verifier": Agent(env, "verifier", partial(GraphNet, layers=2)),
    }
    untrained = evaluate(env, agents)
    learning = {
        "prover": Learning(pretrain=12, auxiliary=0.3, minibatch=512),
        "verifier": Learning(learning_rate=2e-3, epochs=4, minibatch=256, entropy=0.03, critic=0.1),
    }
    PPO(env, agents, turns=1e5, steps=8, learning=learning).train()
    trained = evaluate(env, agents)
    assert untrained["accuracy"] < 0.6 and trained["accuracy"] > 0.75
