"""PPO, against advantages and losses written out by hand, game by game and turn by turn."""

import copy
import math
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from tensordict import TensorDict

from pvg.agents.agent import Agent, RandomAgent
from pvg.agents.graph import GraphNet
from pvg.envs.graph_isomorphism import GraphIsomorphism
from pvg.envs.payoffs import RIGHT
from pvg.envs.protocols import adp, nip
from pvg.evaluation import evaluate
from pvg.trainers import replicas
from pvg.trainers.collect import own_turns
from pvg.trainers.ppo import PPO, Learner, Learning
from tests.envs.replay import replay
from tests.envs.scenarios import PROTOCOLS, build, cast
from tests.envs.toy import Toy, ToyNet

everywhere = pytest.mark.parametrize("protocol", PROTOCOLS)
ROOT = Path(__file__).parents[2]


def trainer(protocol="nip", scenario="toy", seed=0, slots=8, iterations=3, shared=True, **options):
    torch.manual_seed(seed)
    env = build(scenario, protocol, slots=slots, seed=seed)
    agents = cast(env, scenario, shared=shared)
    turns = iterations * 12 * slots * len(env.protocol.places())
    return PPO(
        env,
        agents,
        **{"turns": turns, "steps": 12, "learning": {"default": Learning(minibatch=64)}} | options,
    )


def weights(ppo):
    return {f"{n}.{k}": v.clone() for n, a in ppo.agents.items() for k, v in a.state_dict().items()}


def same(one, other):
    assert one.keys() == other.keys()
    return {key for key in one if torch.equal(one[key], other[key])}


# ---------------------------------------------------------------------- advantages
def reference(ppo, batches, agent):
    """Advantage and value target of every act, game by game (Schulman et al. 2016, eq. 16), for each batch."""
    env, steps, tail = ppo.env, ppo.rollout.steps, ppo.rollout.tail
    frames = torch.cat([batch[tail if i else 0 :] for i, (batch, _) in enumerate(batches)])
    games = replay(env, frames)
    out = []
    for i, (batch, last) in enumerate(batches):
        first = max(0, i * steps - tail)  # of the batch's frames
        values = torch.cat([batch[agent, "state_value"], last[agent].unsqueeze(0)]).squeeze(-1).tolist()
        known = {}
        for game in games:
            m = len(env.protocol.tracks[game.track])
            low = 0 if m == 1 and i == 0 else 1 if i == 0 else i * steps - (m - 1)
            high = (i + 1) * steps - (m - 1)
            for place in range(len(env.protocol.places(agent))):
                follows = 0.0
                for turn in reversed([t for t in game.of(agent, place) if low <= t.time < high]):
                    value = values[turn.time - first][game.slot][place]
                    after = 0.0 if turn.ended else values[turn.time - first + m][game.slot][place]
                    error = turn.reward + ppo.gamma * after - value
                    follows = error + ppo.gamma * ppo.lmbda * follows * (not turn.ended)
                    known[turn.time, game.slot, place] = follows, follows + value
        out.append(known)
    return out


def stamped(batch, agent, first):
    """The batch with the number of each act in place of its log-probability."""
    count = batch[agent, "log_prob"].numel()
    number = torch.arange(count).view(batch[agent, "log_prob"].shape) + first * count // len(batch)
    marked = batch.clone()
    marked[agent, "log_prob"] = number.float()
    return marked


def estimates(ppo, batch, last, agent, first):
    """Advantage and value target as the trainer computes them, by act."""
    rows = ppo.advantages(
        own_turns(stamped(batch, agent, first), last[agent], ppo.env, agent, ppo.rollout.steps)
    )
    slots, places = ppo.env.slots, len(ppo.env.protocol.places(agent))
    out = {}
    for number, advantage, target in zip(
        rows["log_prob"].long().tolist(),
        rows["advantage"].flatten().tolist(),
        rows["value_target"].flatten().tolist(),
        strict=True,
    ):
        key = number // places // slots, number // places % slots, number % places
        assert key not in out
        out[key] = advantage, target
    return out


@everywhere
@pytest.mark.parametrize("gamma, lmbda", [(1.0, 0.95), (0.7, 0.4)])
def test_advantages_are_those_computed_game_by_game(protocol, gamma, lmbda):
    ppo = trainer(protocol, gamma=gamma, lmbda=lmbda, slots=5)
    batches = [(ppo.rollout.collect(), ppo.rollout.last_values()) for _ in range(2)]
    for agent in ppo.agents:
        for i, known in enumerate(reference(ppo, batches, agent)):
            first = max(0, i * ppo.rollout.steps - ppo.rollout.tail)
            got = estimates(ppo, *batches[i], agent, first)
            assert got.keys() == known.keys() and len(known) > 10
            raw = [known[key][0] for key in got]
            mean = sum(raw) / len(raw)
            spread = math.sqrt(sum((x - mean) ** 2 for x in raw) / len(raw))
            for key, (advantage, target) in got.items():
                assert advantage == pytest.approx((known[key][0] - mean) / spread, abs=1e-3)
                assert target == pytest.approx(known[key][1], abs=1e-4)


@everywhere
def test_nothing_leaks_across_the_end_of_a_game(protocol, monkeypatch):
    """What follows a game (values, rewards) changes none of its advantages: not a bit."""
    monkeypatch.setattr(replicas, "normalise", lambda x: x)
    ppo = trainer(protocol, slots=12)
    env, steps = ppo.env, ppo.rollout.steps
    batch, last = ppo.rollout.collect(), ppo.rollout.last_values()
    games = replay(env, batch)
    over = [game for game in games if game.decision is not None]
    limit = [
        game for game in over if max(t.observation["round"] for t in game.turns) == env.protocol.rounds - 1
    ]
    assert over and limit
    for agent in ppo.agents:
        before = estimates(ppo, batch, last, agent, 0)
        for some, marked in (("ended", over), ("at the limit", limit)):
            other = batch.clone()
            inside = torch.zeros(batch[agent, "log_prob"].shape, dtype=torch.bool)
            paid = inside.clone()
            for game in marked:
                m = len(env.protocol.tracks[game.track])
                for turn in game.turns:
                    if turn.agent == agent:
                        inside[turn.time, game.slot, turn.place] = True
                        if turn.time + m - 1 < steps:
                            paid[turn.time + m - 1, game.slot, turn.place] = True
            other[agent, "state_value"][~inside] = 1e4
            other["next", agent, "reward"][~paid] = -1e4
            after = estimates(ppo, other, {agent: torch.full_like(last[agent], 1e4)}, agent, 0)
            kept = [key for key in before if inside[key]]
            assert kept and all(before[key] == after[key] for key in kept), some
            outside = [key for key in before if not inside[key]]
            assert not outside or any(before[key] != after[key] for key in outside)


# ---------------------------------------------------------------------- the loss
def rows_for(ppo, agent="verifier", seed=1):
    """Turns with advantages, and log-probabilities as of another policy, so that ratios are not one."""
    batch, last = ppo.rollout.collect(), ppo.rollout.last_values()
    rows = ppo.advantages(own_turns(batch, last[agent], ppo.env, agent, ppo.rollout.steps))
    torch.manual_seed(seed)
    rows["log_prob"] = rows["log_prob"] + 0.4 * torch.randn_like(rows["log_prob"])
    return {k: v.clone() for k, v in rows.items()}  # as minibatches are: copies


def by_hand(agent, rows, how):
    """The clipped surrogate (Schulman et al. 2017, eq. 7 and 9), turn by turn."""
    out = agent.net(agent.env.view(agent.name, rows_of(rows)))
    value = (
        out["value"]
        if agent.critic is None
        else agent.critic(agent.env.view(agent.name, rows_of(rows)))["value"]
    )
    surrogate, entropy, critic = [], [], []
    for i in range(len(value)):
        heads = [out["message"][i, t] for t in range(out["message"].shape[1])]
        if agent.decides:
            final = int(rows["round"][i]) == agent.env.protocol.rounds - 1
            early = int(rows["round"][i]) < agent.env.protocol.first_decision and not final
            decision = out["decision"][i]
            heads.append(decision[:2] if final else decision[2:] if early else decision)
        log_prob = bits = 0.0
        for t, head in enumerate(heads):
            p = torch.exp(head) / torch.exp(head).sum()
            said = int(rows["action"][i, t])
            if agent.decides and t == len(heads) - 1 and early:
                assert said == 2
                said = 0
            log_prob = log_prob + torch.log(p[said])
            bits = bits - (p * torch.log(p)).sum()
        ratio, advantage = torch.exp(log_prob - rows["log_prob"][i]), rows["advantage"][i, 0]
        clipped = ratio.clamp(1 - how.clip, 1 + how.clip)
        surrogate.append(torch.minimum(ratio * advantage, clipped * advantage))
        entropy.append(bits)
        gap = (value[i, 0] - rows["value_target"][i, 0]).abs()
        critic.append(torch.where(gap < 1, 0.5 * gap**2, gap - 0.5))
    surrogate, entropy, critic = (torch.stack(x).mean() for x in (surrogate, entropy, critic))
    return -surrogate - how.entropy * entropy + how.critic * critic


def rows_of(rows):
    return TensorDict(
        {k: rows[k] for k in ("index", "transcript", "coins", "round", "live")}, [len(rows["round"])]
    )


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("agent", ["prover", "verifier"])
@pytest.mark.parametrize("protocol", ["nip", "nip, verifier first, late"])
def test_the_gradient_is_that_of_the_clipped_loss_written_out(protocol, agent, shared):
    ppo = trainer(protocol, slots=4, shared=shared)
    how = Learning(clip=0.15, entropy=0.07, critic=0.3, max_grad_norm=1e9)
    learner = Learner(ppo.agents[agent], how)
    rows = rows_for(ppo, agent)
    ratio = 0.4 * torch.randn(1000)  # many beyond the clip on either side: the test must see that
    assert (ratio.exp() > 1.15).float().mean() > 0.2 and (ratio.exp() < 0.85).float().mean() > 0.2
    parameters = list(ppo.agents[agent].named_parameters())
    right = torch.autograd.grad(
        by_hand(ppo.agents[agent], rows, how), [p for _, p in parameters], allow_unused=True
    )
    learner._step(rows, supervised=False)
    moved = 0
    for (name, p), g in zip(parameters, right, strict=True):
        if g is None:
            assert p.grad is None or not p.grad.any(), name
        else:
            assert torch.allclose(p.grad, g, rtol=1e-3, atol=1e-6), name
            moved += bool(g.any())
    assert moved >= 6


def test_gradients_are_clipped_and_the_learning_rate_is_that_asked_for():
    ppo = trainer(slots=4)
    learner = Learner(
        ppo.agents["verifier"], Learning(max_grad_norm=1e-3, epochs=1, minibatch=10**6, target_kl=None)
    )
    before = weights(ppo)
    learner.update(rows_for(ppo), supervised=False, rate=1e-3)
    norm = torch.cat([p.grad.flatten() for p in learner.parameters if p.grad is not None]).norm()
    assert norm <= 1.001e-3
    step = max((v - before[k]).abs().max().item() for k, v in weights(ppo).items())
    assert step == pytest.approx(1e-3, rel=0.2)  # Adam's first step is the rate, whatever the gradient


def test_an_agent_s_loss_touches_no_other_agent():
    for protocol in ("nip", "court", "merlin_arthur"):
        ppo = trainer(protocol, slots=4)
        for name, learner in ppo.learners.items():
            learner._step(rows_for(ppo, name), supervised=False)
            for other, agent in ppo.agents.items():
                touched = [p.grad is not None and p.grad.any() for p in agent.parameters()]
                assert any(touched) == (other == name)
            for p in ppo.agents[name].parameters():
                p.grad = None


@pytest.mark.parametrize("protocol", ["nip", "nip, verifier first", "court", "merlin_arthur", "uneven"])
def test_only_its_own_live_turns_teach_an_agent(protocol):
    ppo = trainer(protocol, slots=8)
    batch, last = ppo.rollout.collect(), ppo.rollout.last_values()
    for name, agent in ppo.agents.items():
        spoilt, dead = batch.clone(), ~batch[name, "observation", "live"]
        for other in set(ppo.agents) - {name}:  # whatever the others did, thought and got
            for x in (spoilt[other], spoilt["next", other]):
                x.apply_(lambda v: v.fill_(3) if v.dtype != torch.bool else v.logical_not_())
        for key in ("action", "log_prob", "state_value"):  # and whatever was done where there was no game
            spoilt[name, key][dead] = 2
        outcomes = []
        for data in (batch, spoilt):
            learner = Learner(copy.deepcopy(agent), Learning(minibatch=32, epochs=2))
            learner.agent.bind(ppo.env)
            torch.manual_seed(4)
            rows = ppo.advantages(own_turns(data, last[name], ppo.env, name, ppo.rollout.steps))
            assert rows["live"].all()
            learner.update(rows, supervised=False, rate=1e-2)
            outcomes.append(torch.cat([p.detach().flatten() for p in learner.parameters]))
        assert torch.equal(*outcomes)
        assert not torch.equal(outcomes[0], torch.cat([p.detach().flatten() for p in agent.parameters()]))
    assert any(not batch[name, "observation", "live"].all() for name in ppo.agents)


@pytest.mark.parametrize("protocol", ["nip, late", "nip", "nip, verifier first, late"])
@pytest.mark.parametrize("scenario", ["toy", "graphs"])
def test_turns_without_a_choice_teach_nothing(scenario, protocol, monkeypatch):
    """A verifier with nothing to say that may not decide yet has no choice."""
    seen = {}
    monkeypatch.setattr(
        Learner, "update", lambda self, turns, *_: seen.update({self.agent.name: turns}) or {}
    )
    ppo = trainer(protocol, scenario, iterations=1)
    ppo.train()
    games = ppo.env.protocol
    rounds = set(seen["verifier"]["round"].tolist())
    if scenario == "graphs":  # where it is silent
        assert rounds == set(range(games.first_decision, games.rounds))
    else:
        assert rounds == set(range(games.rounds))
    assert set(seen["prover"]["round"].tolist()) >= set(range(games.rounds - 1))
    assert seen["verifier"]["advantage"].mean().abs() < 1e-5  # normalised over those that count
    assert seen["verifier"]["advantage"].std(correction=0).item() == pytest.approx(1, abs=1e-3)


def test_iterations_shorter_than_a_game_are_no_trouble():
    ppo = trainer(nip(7, first_decision=-1), "graphs", steps=4, iterations=4)
    log = []
    ppo.train(lambda i, metrics: log.append(metrics))
    learnt = ["verifier/loss" in metrics for metrics in log]
    assert not all(learnt) and any(learnt)
    assert all(w.isfinite().all() for w in weights(ppo).values())


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


def test_bodies_are_shared_or_separate():
    for shared in (True, False):
        ppo = trainer(slots=4, shared=shared)
        agent = ppo.agents["verifier"]
        learner = Learner(agent, Learning(critic=0.0, entropy=0.0, max_grad_norm=1e9))
        rows = rows_for(ppo)
        learner._step(rows, supervised=False)
        assert agent.net.body[0].weight.grad.any()
        assert (agent.critic is None) == shared
        if not shared:
            assert not any(p.grad is not None and p.grad.any() for p in agent.critic.parameters())
        learner = Learner(agent, Learning(critic=1.0, entropy=0.0, max_grad_norm=1e9))
        rows["advantage"].zero_()
        learner._step(rows, supervised=False)
        assert bool(agent.net.body[0].weight.grad.any()) == shared, "the value's gradient"


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


def test_a_warm_start_is_cross_entropy_on_what_can_be_taught():
    ppo = trainer("adp", slots=40)
    agent = ppo.agents["prover"]
    learner = Learner(agent, Learning(max_grad_norm=1e9))
    rows = rows_for(ppo, "prover")
    true = ppo.env.instances["label"][rows["index"].long()]
    logits = agent.net(ppo.env.view("prover", rows_of(rows)))["message"][true].log_softmax(-1)
    lock = ppo.env.instances["lock"][rows["index"].long()][true]
    right = -logits.gather(-1, lock.unsqueeze(-1)).sum((1, 2)).mean()
    gradient = torch.autograd.grad(right, agent.net.say.weight)[0]
    learner._step(rows, supervised=True)
    assert torch.allclose(agent.net.say.weight.grad, gradient, atol=1e-6)
    assert not agent.net.value.weight.grad.any(), "nothing but the supervised loss"


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
