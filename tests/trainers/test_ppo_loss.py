"""PPO's losses and gradients against those written out by hand, turn by turn."""

import copy

import pytest
import torch

from pvg.envs.protocols import nip
from pvg.trainers.collect import own_turns
from pvg.trainers.ppo import Learner, Learning
from tests.trainers.small import rows_for, rows_of, trainer, weights


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
