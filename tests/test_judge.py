"""The judge: attacks counted on the same claims, and baselines that learn what there is to learn."""

from functools import partial

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from pvg.agents.agent import Agent, RandomAgent
from pvg.agents.graph import GraphNet
from pvg.attacks import fresh_prover
from pvg.envs.graph_isomorphism import GraphIsomorphism
from pvg.envs.protocols import adp, merlin_arthur, nip, solo
from pvg.errors import UserError
from pvg.evaluation import false_claims, play
from pvg.exchange_program import build_agents
from pvg.judge import Judge
from pvg.trainers.ppo import PPO, Learning
from tests.cli import ROOT, choices
from tests.envs.scenarios import cast
from tests.envs.toy import Toy, ToyNet

HOW = {"verifier": Learning(learning_rate=3e-3, minibatch=256, epochs=4)}


@pytest.mark.parametrize("protocol", [adp(), merlin_arthur(1)])
def test_a_claim_is_sound_only_if_no_prover_gets_it_accepted(protocol):
    env = Toy(protocol, slots=4, train=40, test=120)
    torch.manual_seed(0)
    agents = {n: Agent(env, n, ToyNet) for n in protocol.agents}
    index = false_claims(env, 50)
    own = play(env, agents, index, track=protocol.attacked)[0]
    some = torch.arange(len(index))
    falls = {"third": some % 3 == 0, "fifth": some % 5 == 0}

    def attack(name, env, agents, rows):
        assert torch.equal(rows, index)
        return falls[name]

    judge = Judge(most=50, attacks={n: partial(attack, n) for n in falls} | {"none": None})
    result = judge.rates(env, agents)
    left = sum(not (bool(o) or i % 3 == 0 or i % 5 == 0) for i, o in enumerate(own))
    assert result["attacked"] == len(index) == 50
    assert result["soundness/third"] == 0.66 and result["soundness/fifth"] == 0.8
    assert result["soundness/worst"] == pytest.approx(left / 50) and "soundness/none" not in result


def test_an_attack_that_does_not_fit_is_left_out_and_said(capsys):
    def unfit(*_):
        raise UserError("no fit")

    env = Toy(adp(), slots=4, train=40, test=40)
    result = Judge(attacks={"unfit": unfit}).rates(env, cast(env))
    assert "soundness/unfit" not in result and "attack unfit is left out: no fit" in capsys.readouterr().err


# ---------------------------------------------------------------------- baselines
def graphs(protocol, **options):
    made = {"slots": 64, "train": 2000, "test": 500, "nodes": (7, 8), "scores": {1: 1.0, 2: 0.0, 3: 0.0}}
    return GraphIsomorphism(protocol, **(made | options))


def test_a_verifier_alone_learns_what_can_be_seen():
    """Different numbers of neighbours: one layer tells those pairs apart (Weisfeiler-Leman score 1)."""
    env = graphs(solo())
    torch.manual_seed(0)
    agents = {"verifier": Agent(env, "verifier", partial(GraphNet, layers=1))}
    trainer = partial(PPO, learning=HOW, turns=3e4)
    assert Judge().babbled(env, agents, trainer, seed=0) > 0.95
    assert 0.4 < Judge().babbled(env, agents, partial(PPO, learning=HOW, turns=1.0), seed=0) < 0.9


def test_a_verifier_alone_learns_nothing_where_there_is_nothing_to_see():
    env = Toy(adp(), slots=64, train=2000, test=1000)
    torch.manual_seed(0)
    accuracy = Judge().babbled(env, cast(env), partial(PPO, learning=HOW, turns=3e4))
    assert 0.42 < accuracy < 0.58


def test_seeds_make_baselines_differ_and_leave_chance_alone():
    env = graphs(solo(), scores={1: 0.0, 2: 1.0, 3: 0.0}, train=200, test=400)
    agents = {"verifier": Agent(env, "verifier", GraphNet)}
    before = torch.get_rng_state()
    trainer = partial(PPO, learning=HOW, turns=2e3)
    found = [Judge().babbled(env, agents, trainer, seed) for seed in (0, 0, 1, 2)]
    assert found[0] == found[1] and len(set(found)) > 1 and torch.equal(torch.get_rng_state(), before)


def test_a_babbler_says_anything_also_when_it_is_judged():
    env = graphs(nip(3), test=200)
    agents = {"prover": RandomAgent(env, "prover"), "verifier": RandomAgent(env, "verifier")}
    _, games = play(env, agents, false_claims(env))
    assert len(games["transcript"].unique()) >= 7


# ---------------------------------------------------------------------- the attack that learns
@pytest.mark.parametrize(
    "env", sorted(set(choices("env")) - {"atari", "gridworld", "minigrid", "problems", "theorems"})
)  # no exchanges
def test_the_fresh_prover_of_every_table_learns_from_what_it_is_paid(env, monkeypatch):
    """Its budget, as the configs have it, leaves most iterations to reinforcement learning."""
    made = []

    class Watched(PPO):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            made.append(self)

        def train(self, report=None):
            pass

    monkeypatch.setattr("pvg.attacks.PPO", Watched)
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        config = compose("run", overrides=[f"env={env}", "env.train=100", "env.test=40"])
    game = instantiate(config.env, _convert_="object")
    agents = build_agents(config, game)
    attack = instantiate(config.evaluation, _convert_="object").attacks["fresh"]
    attack(game, agents, false_claims(game))
    (trainer,) = made
    supervised = trainer.learners["prover"].learning.pretrain
    per_iteration = trainer.rollout.steps * trainer.env.slots  # of the one prover
    assert 0 < supervised <= trainer.iterations / 4
    assert trainer.iterations * per_iteration == pytest.approx(attack.keywords["turns"], rel=0.05)
    assert "verifier" not in trainer.learners and trainer.env is not game


def test_a_budget_too_small_to_learn_from_is_refused():
    env = Toy(adp(), slots=64, train=40, test=40)
    with pytest.raises(UserError, match="raise turns"):
        fresh_prover(env, cast(env), false_claims(env), turns=100)
