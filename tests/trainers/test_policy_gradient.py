"""Advantages by hand; the loss and its gradient against the formulas, token by token without padding."""

import pytest
import torch

from pvg.agents.language import Prover
from pvg.errors import UserError
from pvg.trainers.policy_gradient import PolicyGradient, advantages, grouped, learn, make_loss
from pvg.trainers.supervised import Descent, Optimiser, imitation
from tests.trainers import words


def sampled(n=12, seed=0):
    """A batch with all that an iteration's has, from another policy than the one that learns."""
    batch, draw = words.batch(n, seed), torch.Generator().manual_seed(seed + 100)
    prover, reference = words.agent(Prover), words.agent(Prover, seed=1)
    with torch.no_grad():
        own = prover.log_probs(batch)
        batch.set("log_probs", own + 0.3 * torch.randn(own.shape, generator=draw))
        batch.set("ref_log_probs", own + 0.4 * (reference.log_probs(batch) - own))
        batch.set("value", prover(batch)[1])
    batch.set("reward", torch.randn(n, generator=draw)).set("group", torch.arange(n) // 4)
    batch.set("helpful", torch.arange(n) % 8 < 4)
    return prover, batch


# ---------------------------------------------------------------------- advantages
def gae(value, reward, lmbda):
    """Schulman et al. 2016, backwards over one answer, no discount, reward at its end."""
    out, after, carried = [], 0.0, 0.0
    for k in reversed(range(len(value))):
        earned = reward if k == len(value) - 1 else 0.0
        carried = earned + after - value[k] + lmbda * carried
        after = value[k]
        out.insert(0, carried)
    return out


@pytest.mark.parametrize("lmbda", [1.0, 0.7])
def test_advantages_with_a_value_head_are_gae_by_hand(lmbda):
    _, batch = sampled()
    batch["value"][~batch["said"]] = 1e6  # what is beyond the end must not count
    advantages(batch, PolicyGradient(advantage="value", lmbda=lmbda))
    rows = [gae(row["value"][row["said"]].tolist(), float(row["reward"]), lmbda) for row in batch]
    for row, found, value in zip(rows, batch["value_target"], batch["value"]):
        wanted = [a + float(v) for a, v in zip(row, value)]
        assert found[: len(row)].tolist() == pytest.approx(wanted, abs=1e-4)
    for role in (True, False):
        own = [i for i in range(12) if bool(batch["helpful"][i]) == role]
        all_own = [a for i in own for a in rows[i]]
        mean = sum(all_own) / len(all_own)
        deviation = (sum((a - mean) ** 2 for a in all_own) / len(all_own)) ** 0.5
        for i in own:
            found = batch["advantage"][i, : len(rows[i]), 0].tolist()
            assert found == pytest.approx([(a - mean) / deviation for a in rows[i]], abs=1e-3)
    assert batch["advantage"].shape == (*batch["said"].shape, 1)


def test_advantages_of_groups_by_hand():
    _, batch = sampled()
    advantages(batch, PolicyGradient(advantage="group"))
    for i in range(12):
        own = [float(batch["reward"][j]) for j in range(12) if j // 4 == i // 4]
        mean = sum(own) / 4
        deviation = (sum((r - mean) ** 2 for r in own) / 4) ** 0.5
        wanted = (float(batch["reward"][i]) - mean) / deviation
        assert batch["advantage"][i, :, 0].tolist() == pytest.approx(
            [wanted] * batch["said"].shape[1], rel=1e-3
        )
    assert grouped(torch.tensor([2.0, 2.0, 5.0]), torch.tensor([0, 0, 3])).tolist() == [0.0, 0.0, 0.0]


# ---------------------------------------------------------------------- the loss
def by_hand(prover, batch, how):
    """Every token of every answer, each text alone: the loss whose gradient is wanted, and what is reported."""
    objective, critic, entropy, clipped, far = [], [], [], [], []
    for row in batch:
        start, there = int(row["start"]), int(row["there"].sum())
        text = row["tokens"][:there].unsqueeze(0)
        out = prover.plain(text, output_hidden_states=True)
        value = prover.head(out.hidden_states[-1][0, start - 1 : -1]).squeeze(-1)
        said = out.logits[0, start - 1 : -1].log_softmax(-1)
        for k, token in enumerate(text[0, start:]):
            log_p, advantage = said[k, token], row["advantage"][k, 0]
            ratio = (log_p - row["log_probs"][k]).exp()
            beyond = ratio > 1 + how.clip if advantage > 0 else ratio < 1 - how.clip
            bound = 1 + how.clip if advantage > 0 else 1 - how.clip
            objective.append(-advantage * (bound if beyond else ratio))
            clipped.append((abs(ratio.detach() - 1) > how.clip).float())
            entropy.append(-(said[k].exp() * said[k]).sum())
            apart = row["ref_log_probs"][k] - log_p
            far.append(apart.exp() - 1 - apart)
            target = row["value_target"][k] if how.advantage == "value" else value[k]
            critic.append((value[k] - target).square())
    objective, critic, entropy, clipped, far = (
        torch.stack(x).mean() for x in (objective, critic, entropy, clipped, far)
    )
    whole = objective - how.entropy * entropy + how.kl * far
    if how.advantage == "value":
        whole = whole + how.critic * critic
    whole.backward()
    names = ("loss", "value_loss", "entropy", "clipped", "kl")
    return {n: float(x.detach()) for n, x in zip(names, (objective, critic, entropy, clipped, far))}


@pytest.mark.parametrize("advantage", ["value", "group"])
def test_a_step_is_the_formulas_gradient_in_pieces_of_any_size(advantage):
    prover, batch = sampled()
    how = PolicyGradient(advantage=advantage, kl=0.3, entropy=0.2, critic=0.7)
    advantages(batch, how)
    wanted = by_hand(prover, batch, how)
    assert 0.05 < wanted["clipped"] < 0.95 and wanted["kl"] > 0.01
    grads = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in prover.parameters()]
    for micro in (None, 5, 1):
        prover.zero_grad()
        how.descent = Descent(micro=micro)
        kept = words.Kept(prover, how.descent, 1)
        found = learn(prover, batch, how, make_loss(how), kept)
        assert found == pytest.approx(wanted, abs=1e-4)
        assert words.same(kept.grads, grads)


def test_without_a_reference_there_is_no_divergence():
    prover, batch = sampled()
    how = PolicyGradient(advantage="group", kl=0.0, entropy=0.1)
    advantages(batch, how)
    wanted = by_hand(prover, batch, how)
    grads = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in prover.parameters()]
    prover.zero_grad()
    kept = words.Kept(prover, how.descent, 1)
    found = learn(prover, batch.exclude("ref_log_probs"), how, make_loss(how), kept)
    assert found["kl"] == 0.0 and found["loss"] == pytest.approx(wanted["loss"], abs=1e-4)
    assert words.same(kept.grads, grads)


def test_lessons_add_their_gradient():
    prover, batch = sampled()
    lessons = words.batch(1, seed=3)  # one, so that it is always the one that is drawn
    how = PolicyGradient(advantage="group", lessons=0.5)
    advantages(batch, how)
    kept, loss = words.Kept(prover, how.descent, 1), make_loss(how)
    learn(prover, batch, how, loss, kept)
    alone = kept.grads
    imitation(prover, lessons, kept)
    kept.step()
    wanted = [a + 0.5 * b for a, b in zip(alone, kept.grads)]
    learn(prover, batch, how, loss, kept, lessons)
    assert words.same(kept.grads, wanted)


def test_steps_are_as_many_as_are_announced():
    prover, batch = sampled(24)
    how = PolicyGradient(iterations=3, problems=3, samples=4, epochs=2, descent=Descent(batch=10))
    advantages(batch, how)
    optimiser = Optimiser(prover, how.descent, how.steps(2))
    for _ in range(how.iterations):
        learn(prover, batch, how, make_loss(how), optimiser)
    assert optimiser.done == how.steps(2) == 18


@pytest.mark.parametrize("advantage", ["value", "group"])
def test_what_earns_is_said_more_often(advantage):
    """Single tokens are drawn; token 7 earns 1, all others nothing."""
    torch.manual_seed(0)
    prover = words.agent(Prover)
    how = PolicyGradient(advantage=advantage, kl=0.0, descent=Descent(learning_rate=1e-2, warm=0.0))
    optimiser, loss = Optimiser(prover, how.descent, 30), make_loss(how)
    batch = words.batch(128, most=1)
    for key in ("tokens", "there"):
        batch.set(key, batch[key][:1].expand(128, -1).clone())  # one prompt for all
    batch.set("start", batch["start"][:1].expand(128).clone())
    at = int(batch["start"][0])
    shares = []
    for _ in range(25):
        with torch.no_grad():
            logits, value = prover(batch)
        said = logits.log_softmax(-1)
        answer = torch.multinomial(said[:, 0].exp(), 1)
        batch["tokens"][:, at] = answer.squeeze(-1)
        batch.set("answer", answer).set("log_probs", said[:, 0].gather(1, answer)).set("value", value)
        shares.append(float(said[0, 0, 7].exp()))
        batch.set("reward", (answer[:, 0] == 7).float()).set("group", torch.zeros(128, dtype=torch.long))
        batch.set("helpful", torch.ones(128, dtype=torch.bool))
        advantages(batch, how)
        learn(prover, batch, how, loss, optimiser)
    assert shares[0] < 0.1 and shares[-1] > 0.7


@pytest.mark.parametrize(
    "knobs", [dict(samples=1), dict(problems=0), dict(epochs=0), dict(advantage="values")]
)
def test_knobs_that_are_no_good(knobs):
    with pytest.raises(UserError, match=next(iter(knobs))):
        PolicyGradient(**knobs)
