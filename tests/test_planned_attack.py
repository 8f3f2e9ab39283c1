"""A prover that plans: what it finds against brute force, and what it reports against the verifier by itself."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from pvg import attacks, planned_attack
from pvg.agents.agent import Agent, RandomAgent
from pvg.attacks import best_of, exploitability
from pvg.envs.protocols import adp, debate, nip, solo
from pvg.errors import UserError
from pvg.evaluation import held_out
from pvg.planned_attack import PlannedProver
from pvg.planning.exchange import ExchangeSimulator
from pvg.planning.simulator import check_functional
from tests.envs.scenarios import build, cast
from tests.envs.toy import Toy, ToyNet
from tests.test_attacks import BOTH, attacked, brute_force, lock_of, open_twice, told, trap, whim

EVERYTHING = 1000  # more calls than there are sequences of messages, and tokens to look ahead at
RULES = [
    (open_twice, "prover first"),
    (trap, "prover first"),
    (whim, "prover first"),
    (whim, "verifier first"),
]


@pytest.mark.parametrize("rule, first", RULES)
def test_with_a_large_budget_it_finds_whatever_there_is(rule, first):
    env, agents = attacked(rule, BOTH[first], test=10)
    index = held_out(env)
    every = brute_force(env, rule, index)
    for temperature, width in ((None, 1), (None, 2), (0.3, 1), (0.3, 2)):
        found = PlannedProver(budget=EVERYTHING, temperature=temperature, width=width)(env, agents, index)
        assert found.tolist() == every


@pytest.mark.parametrize("temperature, budget", [(None, 6), (None, 60), (0.3, 40), (0.3, 80)])
@pytest.mark.parametrize("rule, first", RULES)
def test_what_it_reports_the_verifier_confirms_and_no_call_is_hidden(rule, first, temperature, budget):
    """Whatever it has found is played again, one game at a time in plain Python."""
    env, agents = attacked(rule, BOTH[first], test=30)
    index, calls = held_out(env), torch.zeros(100, dtype=torch.long)
    verifier, whole = agents["verifier"], agents["verifier"].evaluate

    def counting(observation):
        calls.index_add_(0, observation["index"].long(), torch.ones(len(observation), dtype=torch.long))
        return whole(observation)

    verifier.evaluate = counting
    accepted, said, asked = PlannedProver(budget=budget, temperature=temperature).plan(env, agents, index)
    verifier.evaluate = whole
    assert asked.max() <= budget and accepted.sum() < 30
    assert rule is not whim or budget < 60 or accepted.any()
    # a verifier that speaks takes two passes for an answer
    assert (calls[index] <= 2 * asked).all() and (calls[index] >= asked).all()
    for i, won, words in zip(index.tolist(), accepted.tolist(), said.tolist(), strict=True):
        if won:
            columns = env.columns["prover"]
            sequence = [row[columns] for row in words if row[columns][0] >= 0]
            assert told(env, agents["verifier"], i, sequence).decision == 1
        else:
            assert all(word == -1 for row in words for word in row)


@pytest.mark.parametrize("temperature", [None, 0.3])
def test_an_instance_s_fate_does_not_depend_on_those_beside_it(temperature, monkeypatch):
    env, agents = attacked(whim, BOTH["prover first"], test=30)
    agents["prover"] = Agent(env, "prover", ToyNet)
    index = held_out(env)
    attack = PlannedProver(budget=40, temperature=temperature)
    whole = attack(env, agents, index)
    assert 0 < whole.sum() < 30
    assert torch.equal(attack(env, agents, index.flip(0)).flip(0), whole)
    assert torch.equal(torch.cat([attack(env, agents, part) for part in index.split(7)]), whole)
    monkeypatch.setattr(planned_attack, "ENTRIES", 1)
    agents["verifier"].chunk = 3
    assert torch.equal(attack(env, agents, index), whole)
    assert not torch.equal(replace(attack, seed=1)(env, agents, index), whole)


def test_the_verifier_s_belief_leads():
    """Each digit of the lock raises the belief a little: led by that, a few looks find what is one in 4,096."""

    def digits(env, seen):
        lock = lock_of(env, seen)
        hits = sum(a == b for words in seen["transcript"] for a, b in zip(words[:2], lock))
        return [5.5, float(hits), -9.0 if seen["round"] == 2 else 9.0]

    env, agents = attacked(digits, nip(3, first_decision=-1), test=40)
    index = held_out(env)
    assert PlannedProver(budget=60)(env, agents, index).all()
    assert not PlannedProver(budget=60, temperature=None)(env, agents, index).any()


def test_hidden_units_are_those_of_the_network():
    env = Toy(nip(2, first_decision=-1), slots=2, train=4, test=10)
    torch.manual_seed(0)
    agents = {name: Agent(env, name, ToyNet) for name in env.protocol.agents}
    index, (prover,), (decider,) = (
        held_out(env),
        env.protocol.places("prover"),
        env.protocol.places("verifier"),
    )
    frozen = planned_attack.Frozen(agents["verifier"], "body.1")
    simulator = ExchangeSimulator(env, index, prover, decider, frozen, looks=True)
    state = simulator.initial(10)
    for _ in range(2):
        state = simulator.step(state, torch.arange(10) % 4).state
    assert (state["round"] == 1).all()
    heard = heard_before(env, state, decider)
    units = agents["verifier"].net.body(env.view("verifier", heard)["x"]) > 0
    seen = simulator.atoms(state)[:, -32:].bool()
    assert torch.equal(seen, units) and 0.1 < seen.float().mean() < 0.9
    assert simulator.atoms_shape == (simulator.atoms(state).shape[1], 5)
    PlannedProver(budget=40, layer="body.1")(env, agents, index)


def heard_before(env, state, place):
    """What the verifier heard before its own words of this turn, one round back."""
    game = {k: state[k].clone() for k in ("index", "transcript", "coins", "round", "live")}
    game["round"] -= 1
    game["transcript"][:, 0, env.columns["verifier"]] = -1
    return env.observe(game, place)


@pytest.mark.parametrize("protocol", ["nip", "nip, late", "nip, verifier first", "adp", "merlin_arthur"])
@pytest.mark.parametrize("scenario", ["toy", "graphs", "composite"])
def test_every_exchange_is_a_function_of_its_state(scenario, protocol):
    env = build(scenario, protocol)
    torch.manual_seed(0)
    agents = cast(env, scenario)
    prover, decider = attacks.one_prover(env)
    frozen = planned_attack.Frozen(agents["verifier"])
    for temperature in (None, 1.0):
        check_functional(
            ExchangeSimulator(env, held_out(env), prover, decider, frozen, temperature=temperature)
        )
    accepted, _, asked = PlannedProver(budget=300).plan(env, agents, held_out(env))
    assert len(accepted) == 20 and asked.max() <= 300


def test_sampling_finds_by_chance_what_chance_gives():
    def needle(env, seen):
        return [0.5, float(seen["transcript"][0][:2] == lock_of(env, seen)), -9.0]

    env, agents = attacked(needle, adp(), test=1500)
    for n in (1, 10):
        expected = 1 - (15 / 16) ** n
        found = best_of(env, agents, held_out(env), budget=n)
        assert found.float().mean() == pytest.approx(
            expected, abs=4 * (expected * (1 - expected) / 1500) ** 0.5
        )
    assert exploitability(env, agents, partial(best_of, budget=200)) > 0.99


def test_samples_count_by_what_they_ask():
    """The verifier of two rounds is asked twice unless it decides at once; which games fit the budget is counted."""
    env, agents = attacked(whim, nip(2), test=400)
    index = held_out(env)
    one = best_of(env, agents, index, budget=2)
    assert best_of(env, agents, index, budget=60).sum() > one.sum() > 0
    with pytest.raises(UserError, match="one game may ask the verifier 2 times"):
        best_of(env, agents, index, budget=1)


def test_even_sampling_does_not_ask_the_prover():
    def needle(env, seen):
        return [0.5, float(seen["transcript"][0][:2] == [3, 3]), -9.0]

    env, agents = attacked(needle, adp(), test=50)

    class Dumb(RandomAgent):
        def act(self, observation, greedy=False):
            return torch.zeros(len(observation), 2, dtype=torch.long), torch.zeros(len(observation))

    agents["prover"] = Dumb(env, "prover")
    index, chance = held_out(env), torch.get_rng_state()
    assert not best_of(env, agents, index, budget=200).any()
    assert best_of(env, agents, index, budget=200, even=True).all()
    assert torch.equal(torch.get_rng_state(), chance)


def test_what_it_cannot_do_it_says():
    env, agents = attacked(trap, BOTH["prover first"])
    index = held_out(env)
    for how, words in (
        ({"budget": 10}, "budget=10, and one game of 4 tokens may ask the verifier 20 times"),
        ({"budget": 1, "temperature": None}, "may ask the verifier 2 times"),
        ({"temperature": 0.0}, "temperature=0: write a number above 0"),
        ({"layer": "brain"}, "layer=brain: .* no such part. It has .*decide"),
        ({"layer": "say"}, "layer=say: it is used 0 times"),
        ({"width": 3}, "width=3"),
    ):
        with pytest.raises(UserError, match=words):
            PlannedProver(**how)(env, agents, index)
    for protocol in (debate(2), solo()):
        other = build("toy", protocol)
        with pytest.raises(UserError, match="one prover and one verifier"):
            PlannedProver()(other, cast(other), held_out(other))
