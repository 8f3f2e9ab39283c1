"""The own forward pass against that of transformers, in every architecture that it is written for."""

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from pvg.errors import UserError
from pvg.language.decoder import Decoder
from tests.language import architectures


@pytest.fixture(scope="module", params=architectures.KINDS)
def model(request):
    return architectures.make(request.param)


def texts(*lengths, seed=1):
    """Token ids, padded at the right with one that is no padding elsewhere."""
    drawn = torch.randint(48, (len(lengths), max(lengths)), generator=torch.Generator().manual_seed(seed))
    return drawn, torch.tensor(lengths)


@torch.no_grad()
def right(model, row):
    return model(row.unsqueeze(0)).logits[0]


@torch.no_grad()
def test_whole_texts_have_the_logits_of_transformers_whatever_pads_them(model):
    tokens, lengths = texts(40, 7, 1, 23)
    ours = Decoder(model)
    found = ours.logits(ours.prefill(tokens))
    for row, length, logits in zip(tokens, lengths, found):
        assert torch.allclose(logits[:length], right(model, row[:length]), atol=2e-5)
    assert found.dtype == torch.float32


@torch.no_grad()
def test_token_by_token_in_slots_of_different_lengths_gives_the_same(model):
    """Prompts of 9, 3 and 1 tokens in slots 4, 0 and 2 of 5; other slots hold rubbish, as slots that are free do."""
    tokens, start = texts(24, 24, 24)[0], torch.tensor([9, 3, 1])
    ours = Decoder(model)
    cache = ours.cache(5, 32).normal_()
    rows = torch.tensor([4, 0, 2])
    ours.prefill(tokens[:, :9], cache, rows)
    wanted = torch.stack([right(model, row) for row in tokens])
    at, token = torch.zeros(5, dtype=torch.long), torch.zeros(5, dtype=torch.long)
    for step in range(15):
        at[rows] = start + step
        token[rows] = tokens[torch.arange(3), start + step]
        logits = ours.step(token, at, cache)[rows]
        assert torch.allclose(logits, wanted[torch.arange(3), start + step], atol=2e-5)


@torch.no_grad()
def test_loaded_weights_are_copies(model):
    tokens, _ = texts(6)
    ours = Decoder(model)
    before = ours.logits(ours.prefill(tokens))
    saved = {name: w.clone() for name, w in model.state_dict().items()}
    for weight in model.parameters():
        weight.mul_(1.5)
    assert torch.equal(ours.logits(ours.prefill(tokens)), before)  # what the trainer does is not seen
    ours.load(model.state_dict().items())
    assert torch.allclose(ours.logits(ours.prefill(tokens))[0], right(model, tokens[0]), atol=1e-4)
    model.load_state_dict(saved)


@pytest.mark.parametrize("left_out", ["lm_head.weight", "model.embed_tokens.weight"])
def test_tied_weights_may_come_once(left_out):
    model, tokens = architectures.make("llama", seed=2), texts(6)[0]
    ours = Decoder(architectures.make("llama"))
    ours.load((n, w) for n, w in model.state_dict().items() if n != left_out)
    assert torch.allclose(ours.logits(ours.prefill(tokens))[0], right(model, tokens[0]), atol=2e-5)


@pytest.mark.parametrize("change", ["missing", "unknown", "another shape", "untied, one missing"])
def test_weights_that_do_not_fit_change_nothing(change):
    kind = "llama, untied, grouped" if "untied" in change else "qwen2, biases"
    weights = dict(architectures.make(kind, seed=5).state_dict())
    name = "lm_head.weight" if "untied" in change else "model.layers.1.self_attn.k_proj.bias"
    if change == "unknown":
        weights["model.layers.7.self_attn.k_proj.bias"] = weights[name]
    elif change == "another shape":
        weights[name] = weights[name][:-1]
    else:
        del weights[name]
    ours, tokens = Decoder(architectures.make(kind)), texts(6)[0]
    before = ours.logits(ours.prefill(tokens))
    with pytest.raises(ValueError, match=r"lm_head|k_proj\.bias"):
        ours.load(weights.items())
    assert torch.equal(ours.logits(ours.prefill(tokens)), before)


def test_bfloat16_is_near_and_gives_float32_logits():
    model, tokens = architectures.make("qwen2, biases").bfloat16(), texts(12)[0]
    ours = Decoder(model)
    found = ours.logits(ours.prefill(tokens))[0]
    assert ours.cache(1, 4).dtype == torch.bfloat16 and found.dtype == torch.float32
    exact = right(architectures.make("qwen2, biases"), tokens[0])
    theirs = right(model, tokens[0]).float()
    assert (found - exact).abs().mean() < 1.5 * (theirs - exact).abs().mean()


@pytest.mark.parametrize(
    "kind, more, named",
    [
        ("llama", dict(attention_bias=True), "o_proj.bias"),
        ("llama", dict(mlp_bias=True), "gate_proj.bias"),
        ("llama", dict(hidden_act="gelu"), "hidden_act=gelu"),
        ("mistral", dict(sliding_window=8), "sliding_window=8"),
        (
            "llama",
            dict(rope_parameters={"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}),
            "rope_type=dynamic",
        ),
    ],
)
def test_what_it_does_not_compute_it_refuses(kind, more, named):
    with pytest.raises(UserError, match=named):
        Decoder(architectures.make(kind, **more))


def test_other_architectures_are_refused_by_name():
    with pytest.raises(UserError, match="GPT2LMHeadModel"):
        Decoder(GPT2LMHeadModel(GPT2Config(n_embd=8, n_layer=1, n_head=1, vocab_size=9, n_positions=8)))
