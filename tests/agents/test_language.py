"""Language agents against the model itself, one text at a time, without padding."""

import pytest
import torch
from tensordict import TensorDict

from pvg.agents.family import Family, Lora, Tiny, adapt
from pvg.agents.language import LEAST, Prover, Verifier, pieces, texts, trim
from pvg.envs.arithmetic import synthetic
from pvg.errors import UserError
from pvg.language import models
from pvg.language.sampler import TorchEngine
from tests.language import architectures, tiny

PROMPTS = [[5, 6, 7], [9], [3] * 8, [4, 5]]
ANSWERS = [[8, 1], [10, 11, 12, 13, 1], [1], [30, 31, 32]]


def untrained(kind, agent, seed=0):
    """An agent whose head is not nothing."""
    agent = agent(architectures.make(kind, seed)).eval()
    with torch.no_grad():
        agent.head.weight.normal_()
        agent.head.bias.fill_(0.3)
    return agent


def alone(agent, prompt, answer):
    """Log-probabilities of the answer's tokens, and the head's numbers before and after each, by the plain model."""
    with torch.no_grad():
        out = agent.plain(torch.tensor([[*prompt, *answer]]), output_hidden_states=True)
        numbers = agent.head(out.hidden_states[-1][0]).squeeze(-1)
    there = range(len(prompt) - 1, len(prompt) + len(answer) - 1)
    said = out.logits[0].log_softmax(-1)
    log_probs = torch.stack([said[i, token] for i, token in zip(there, answer)])
    return log_probs, numbers[list(there)], numbers[[i + 1 for i in there]]


def test_texts_and_trim():
    batch = texts(PROMPTS, ANSWERS)
    assert batch["tokens"][1].tolist() == [9, 10, 11, 12, 13, 1, 0, 0, 0]
    assert batch["there"].sum(-1).tolist() == [5, 6, 9, 5] and batch["start"].tolist() == [3, 1, 8, 2]
    assert batch["answer"][3].tolist() == [30, 31, 32, 0, 0] and batch["said"].sum(-1).tolist() == [
        2,
        5,
        1,
        3,
    ]
    small = trim(
        batch.set("advantage", torch.ones(4, 5, 1)).set("reward", torch.arange(4.0))[torch.tensor([3, 0])]
    )
    assert small["tokens"].tolist() == [[4, 5, 30, 31, 32], [5, 6, 7, 8, 1]] and small["there"].all()
    assert small["answer"].tolist() == [[30, 31, 32], [8, 1, 0]] and small["advantage"].shape == (2, 3, 1)
    assert small["reward"].tolist() == [3.0, 0.0]
    assert [p["tokens"].shape for p in pieces(batch, 3, "cpu")] == [(3, 9), (1, 5)]


@pytest.mark.parametrize("kind", ["llama", "qwen2, biases", "qwen3, norms, wide heads"])
def test_a_prover_s_numbers_are_the_models_for_each_text_alone(kind):
    prover, batch = untrained(kind, Prover), texts(PROMPTS, ANSWERS)
    with torch.no_grad():
        logits, value = prover(batch)
        said = prover.log_probs(batch)
    assert torch.equal(logits, prover.logits(batch))
    for i, (prompt, answer) in enumerate(zip(PROMPTS, ANSWERS)):
        log_probs, before, _ = alone(prover, prompt, answer)
        assert torch.allclose(said[i, : len(answer)], log_probs, atol=1e-5)
        assert torch.allclose(value[i, : len(answer)], before, atol=1e-5)


def test_a_verifier_s_score_is_its_formula_for_each_text_alone():
    verifier, batch = untrained("llama, untied, grouped", Verifier), texts(PROMPTS, ANSWERS)
    with torch.no_grad():
        verifier.scale.fill_(2.5)
        verifier.bias.fill_(-0.5)
        score = verifier(batch)
    clamped = False
    for i, (prompt, answer) in enumerate(zip(PROMPTS, ANSWERS)):
        log_probs, _, after = alone(verifier, prompt, answer)
        terms = [max(float(p), LEAST) + float(a) for p, a in zip(log_probs, after)]
        assert float(score[i]) == pytest.approx(-0.5 + 2.5 * sum(terms) / len(terms), abs=1e-4)
        clamped |= bool((log_probs < LEAST).any())
    assert clamped  # or the bound has not been tried


def test_padding_gets_no_gradient_and_changes_nothing():
    verifier, batch = untrained("llama", Verifier), texts(PROMPTS, ANSWERS)
    noise = torch.randint(48, batch["tokens"].shape)
    other = batch.clone().set("tokens", torch.where(batch["there"], batch["tokens"], noise))
    other.set("answer", torch.where(batch["said"], batch["answer"], 7))
    wide = TensorDict(
        {k: torch.nn.functional.pad(v, (0, 3)) if v.ndim > 1 else v for k, v in other.items()}, [4]
    )
    found = []
    for each in (batch, other, wide):
        verifier.zero_grad()
        score = verifier(each)
        score.square().sum().backward()
        found.append((score.detach(), [p.grad.clone() for p in verifier.parameters()]))
    for score, grads in found[1:]:
        assert torch.allclose(score, found[0][0], atol=1e-5)
        for a, b in zip(grads, found[0][1]):
            assert (a - b).norm() <= 1e-4 * b.norm()


# ---------------------------------------------------------------------- adapters
@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny.make(tmp_path_factory.mktemp("tiny"))


def adapted(folder):
    agent = Prover(adapt(tiny.load(folder), Lora(rank=4, alpha=16))).eval()
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weight in agent.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.1)
    return agent


def test_only_adapters_and_the_head_learn(folder):
    agent = adapted(folder)
    learns = {n for n, p in agent.named_parameters() if p.requires_grad}
    assert learns and all("lora_" in n or n.startswith("head.") for n in learns)
    assert any("mlp" in n for n in learns) and any("q_proj" in n for n in learns)


def test_adapted_weights_are_those_that_peft_merges_and_the_base_stays_as_it_was(folder):
    agent = adapted(folder)
    before = {n: w.clone() for n, w in agent.state_dict().items()}
    found = dict(agent.weights())
    for _ in range(3):
        agent.weights()
    for name, weight in agent.state_dict().items():
        assert torch.equal(weight, before[name]), name
    plain = dict(tiny.load(folder).state_dict())
    assert set(found) == set(plain)
    merged = agent.model.merge_and_unload().state_dict()
    for name, weight in merged.items():
        assert torch.allclose(found[name], weight, atol=1e-6), name
    assert any(not torch.allclose(found[n], plain[n], atol=1e-3) for n in plain)


def test_a_spread_model_is_the_same_where_there_is_nothing_to_spread_it_over(folder, monkeypatch):
    spread, plain = models.load(folder, spread=True), models.load(folder)
    batch = texts([[5, 9]], [[11, 20, 6]])
    assert torch.equal(Prover(spread).log_probs(batch), Prover(plain).log_probs(batch))
    monkeypatch.setattr("transformers.utils.is_accelerate_available", lambda: False)
    with pytest.raises(UserError, match="pip install accelerate"):
        models.load(folder, spread=True)


def test_activations_computed_again_give_the_same_gradients(folder):
    found = {}
    for again in (False, True):
        family = Family(model=str(folder), checkpointing=again, most=18)
        prover = family.make(synthetic(200), 0, "cpu").prover.train()
        assert prover.plain.is_gradient_checkpointing == again
        prover.log_probs(texts([[5, 9]], [[11, 20, 6]])).sum().backward()
        found[again] = {n: p.grad for n, p in prover.named_parameters() if p.grad is not None}
    assert found[True].keys() == found[False].keys()
    assert all(torch.allclose(g, found[False][n], atol=1e-6) for n, g in found[True].items())


def test_the_engine_speaks_as_the_adapted_model_does(folder):
    agent, text = adapted(folder), [5, 9, 11, 20, 6]
    right = agent.log_probs(texts([text[:1]], [text[1:]]))[0].tolist()
    with TorchEngine(folder) as engine:
        before = engine.score([text])[0]
        engine.load_weights(agent.weights(), 1)
        assert engine.score([text])[0] == pytest.approx(right, abs=1e-5)
    assert before != pytest.approx(right, abs=1e-2)


def test_an_agent_without_adapters_gives_its_own_weights(folder):
    agent, model = Prover(tiny.load(folder)), tiny.load(folder)
    assert {n for n, _ in agent.weights()} == set(model.state_dict())
    assert all(torch.equal(w, model.state_dict()[n]) for n, w in agent.weights())


# ---------------------------------------------------------------------- who plays
SMALL = dict(tiny=Tiny(16, 1, 1, 16), tiny_verifier=Tiny(8, 1, 1, 8))


def test_a_family_made_on_the_spot_shares_its_words():
    family, problems = Family(**SMALL), synthetic(200)
    cast = family.make(problems, seed=3, device="cpu")
    assert cast.prover.model.config.hidden_size == 16 and cast.verifier.model.config.hidden_size == 8
    again, other = family.make(problems, seed=3, device="cpu"), family.make(problems, seed=4, device="cpu")
    same = [torch.equal(a, b) for a, b in zip(cast.prover.parameters(), again.prover.parameters())]
    assert all(same)
    differ = [not torch.equal(a, b) for a, b in zip(cast.prover.parameters(), other.prover.parameters())]
    assert any(differ)
    vocabulary = cast.book.tokenizer.get_vocab()
    assert (
        max(vocabulary.values())
        < cast.prover.model.config.vocab_size
        == cast.verifier.model.config.vocab_size
    )
    unknown = cast.book.tokenizer.unk_token_id
    for p in range(60):
        assert unknown not in cast.book.prompt("sneaky", p) and unknown not in cast.book.solution(
            problems[p].solution
        )
    with TorchEngine(cast.folder, slots=2) as engine:
        text = [*cast.book.prompt("helpful", 0), *cast.book.solution(problems[0].solution)]
        start = len(cast.book.prompt("helpful", 0))
        right = cast.prover.log_probs(texts([text[:start]], [text[start:]]))[0].tolist()
        assert engine.score([text])[0][start - 1 :] == pytest.approx(right, abs=1e-5)


def test_words_of_own_templates_are_in_the_vocabulary():
    templates = {"sneaky": "deceive me : {question} so :"}
    cast = Family(**SMALL, templates=templates).make(synthetic(200), seed=0, device="cpu")
    assert cast.book.tokenizer.unk_token_id not in cast.book.prompt("sneaky", 0)


def test_models_that_do_not_go_together(folder, tmp_path):
    from pvg.language.models import make_tiny

    make_tiny(tmp_path, ["a b c"], width=8, layers=1, heads=1, hidden=8)
    with pytest.raises(UserError, match="two models of one family"):
        Family(model=str(folder), verifier=str(tmp_path)).make(synthetic(200), 0, "cpu")
    with pytest.raises(UserError, match=r"agents\.dtype=int8"):
        Family(dtype="int8").make(synthetic(200), 0, "cpu")
    with pytest.raises(UserError, match="context is 24"):
        Family(**SMALL, context=24).make(synthetic(200), 0, "cpu")
    with pytest.raises(UserError, match=r"context is 30 .*engine\.max_model_len"):
        Family(**SMALL).make(synthetic(200), 0, "cpu", limit=30)
