"""The own sampler against transformers: the same tokens, the same log-probabilities, whatever shares the batch."""

import pytest
import torch
from scipy.stats import chisquare
from transformers import GenerationConfig

from pvg.errors import UserError
from pvg.language.engine import Request
from pvg.language.models import load, load_tokenizer
from pvg.language.sampler import TorchEngine
from tests.language import architectures, tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny.make(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def model(folder):
    return load(folder)


def drawn(folder, asked, **knobs):
    with TorchEngine(folder, **knobs) as engine:
        engine.submit(asked)
        return tiny.drain(engine, len(asked)), engine.counts


# ---------------------------------------------------------------------- against transformers
@pytest.mark.parametrize("kind", architectures.KINDS)
def test_at_temperature_0_it_says_what_generate_says(kind, folder, tmp_path):
    model = architectures.make(kind)
    model.save_pretrained(tmp_path)
    load_tokenizer(folder).save_pretrained(tmp_path)
    end = load_tokenizer(folder).eos_token_id
    asked = [
        Request(r.key, tuple(t % 48 for t in r.prompt), 10 + r.key % 9, 0, 0.0) for r in tiny.requests(9)
    ]
    found, _ = drawn(tmp_path, asked, slots=4)
    how = GenerationConfig(do_sample=False, eos_token_id=end, pad_token_id=0)
    lengths = set()
    for request in asked:
        prompt = torch.tensor([request.prompt])
        how.max_new_tokens = request.most
        whole = model.generate(prompt, attention_mask=torch.ones_like(prompt), generation_config=how)
        assert found[request.key].tokens == whole[0, len(request.prompt) :].tolist()
        assert tiny.apart(model, request, found[request.key]) < 1e-4
        lengths.add(len(found[request.key].tokens))
    assert len(lengths) > 1


def test_reported_log_probabilities_are_the_models_at_any_temperature(folder, model):
    asked = [Request(r.key, r.prompt, 20, r.seed, 0.5 + r.key % 3) for r in tiny.requests(40)]
    found, counts = drawn(folder, asked, slots=7)
    for request in asked:
        sample = found[request.key]
        assert tiny.apart(model, request, sample) < 1e-4
        assert sample.ended == (sample.tokens[-1] == 1) and 1 not in sample.tokens[:-1]
        assert sample.ended or len(sample.tokens) == 20
        assert sample.waited >= 0 and sample.seconds >= 0
    assert {s.ended for s in found.values()} == {True, False}
    tokens = sum(len(s.tokens) for s in found.values())
    assert counts.tokens == tokens and counts.busy == tokens - 40  # first ones come of reading prompts
    assert counts.slots == 7 * counts.steps and len(counts.waits) == 40 and 0 < counts.busy <= counts.slots


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_draws_follow_the_models_distribution(folder, model, temperature):
    """First tokens by chi-square, and second ones given the commonest first."""
    prompt, n = (5, 9, 11), 6000
    asked = [Request(i, prompt, 2, seed=i, temperature=temperature) for i in range(n)]
    found, _ = drawn(folder, asked, slots=1000)

    def p_value(tokens, text):
        with torch.no_grad():
            share = (model(torch.tensor([text])).logits[0, -1].double() / temperature).softmax(-1)
        count = torch.tensor(tokens).bincount(minlength=len(share))
        order = share.argsort(descending=True)
        expected, seen = (share[order] * len(tokens)).tolist(), count[order].tolist()
        while len(expected) > 1 and expected[-1] < 5:  # rare ones together
            expected[-2:], seen[-2:] = [sum(expected[-2:])], [sum(seen[-2:])]
        return chisquare(seen, expected).pvalue

    first = [s.tokens[0] for s in found.values()]
    assert p_value(first, prompt) > 1e-3
    likely = max(set(first) - {1}, key=first.count)
    second = [s.tokens[1] for s in found.values() if s.tokens[0] == likely]
    assert len(second) > 200 and p_value(second, (*prompt, likely)) > 1e-3


def test_seeds_next_to_each_other_are_independent(folder):
    """Neither between seeds, nor between a seed's places: pairs of random numbers fill the square evenly."""
    from pvg.language.draws import draw

    even = torch.zeros(8192, 8)  # the token drawn is the number's first three bits
    seeds, heat = torch.arange(8192), torch.ones(8192)
    a, b = (draw(even, seeds, torch.full_like(seeds, place), heat)[0] for place in (0, 1))
    for x, y in ((a, b), (a[1:], a[:-1]), (a[1:], b[:-1]), (a[2:], a[:-2])):
        assert chisquare((x * 8 + y).bincount(minlength=64)).pvalue > 1e-3


# ---------------------------------------------------------------------- what a draw depends on
def test_a_draw_depends_neither_on_slots_nor_order_nor_refill_nor_company(folder):
    asked = [Request(r.key, r.prompt, 5 + 7 * r.key % 19, r.seed) for r in tiny.requests(30)]
    plain = {k: s.tokens for k, s in drawn(folder, asked, slots=30)[0].items()}
    assert len({len(t) for t in plain.values()}) > 3
    for knobs in (
        dict(slots=1),
        dict(slots=5, refill=0.0),
        dict(slots=5, refill=0.9),
        dict(slots=8, check=5),
    ):
        found, _ = drawn(folder, asked[::-1], **knobs)
        assert {k: s.tokens for k, s in found.items()} == plain
    alone, _ = drawn(folder, [asked[17]])
    assert alone[17].tokens == plain[17]
    with TorchEngine(
        folder, slots=6
    ) as engine:  # in pieces, while others are under way, between longer texts
        engine.submit(Request(100 + i, (3,) * 30, 30, i) for i in range(3))
        engine.submit(asked[:10])
        found = {s.key: s for s in engine.poll()}
        engine.submit(asked[10:])
        found |= tiny.drain(engine, 33 - len(found))
    assert {k: found[k].tokens for k in plain} == plain
    other, _ = drawn(folder, [Request(r.key, r.prompt, r.most, r.seed + 1000) for r in asked])
    assert sum(other[k].tokens == t for k, t in plain.items()) < 5


def test_slots_that_are_free_are_filled_before_the_longest_answer_ends(folder):
    """One long answer and many short ones in two slots: as many steps as the long one has, not as all together."""
    short = [Request(i, (5, 6), 3, i) for i in range(10)]
    long = Request(99, (5, 6), 50, seed=next(s for s in range(100) if length(folder, s) >= 45))
    found, counts = drawn(folder, [long, *short], slots=2)
    assert counts.steps <= len(found[99].tokens)


def length(folder, seed):
    return len(drawn(folder, [Request(0, (5, 6), 50, seed)], slots=1)[0][0].tokens)


# ---------------------------------------------------------------------- weights
def test_new_weights_go_on_with_requests_in_flight_and_are_stamped(folder, model):
    moved = tiny.other_weights(folder)
    asked = [Request(i, (5 + i, 9), 2 if i < 2 else 30, seed=i) for i in range(8)]
    with TorchEngine(folder, slots=4) as engine:
        engine.submit(asked)
        found = {s.key: s for s in engine.poll()}
        first = set(found)
        engine.load_weights(tiny.named(moved), 7)
        found |= tiny.drain(engine, 8 - len(found))
        assert engine.version == 7 and engine.counts.syncs == 1
    stamps = {(s.version, s.last_version) for s in found.values()}
    assert stamps == {(0, 0), (0, 7), (7, 7)}
    for request in asked:
        sample = found[request.key]
        assert ((sample.version, sample.last_version) == (0, 0)) == (request.key in first)
        whose = {(0, 0): model, (7, 7): moved}.get((sample.version, sample.last_version))
        if whose is not None:
            assert tiny.apart(whose, request, sample) < 1e-4
        else:  # begun by one model, ended by the other
            head = Request(0, request.prompt, 1)
            begun = type(sample)(0, sample.tokens[:1], sample.log_probs[:1], False)
            assert tiny.apart(model, head, begun) < 1e-4
            assert min(tiny.apart(w, request, sample) for w in (model, moved)) > 1e-4


def test_scores_are_the_models_also_with_requests_in_flight(folder, model):
    texts = [[5, 6, 7], [9] * 20, [3, 4], [8], [11, 12, 13, 14, 15]]
    asked = tiny.requests(6, most=20)
    with TorchEngine(folder, slots=2) as engine:
        engine.submit(asked)
        found = {s.key: s.tokens for s in engine.poll()}
        scores = engine.score(texts)
        found |= {k: s.tokens for k, s in tiny.drain(engine, 6 - len(found)).items()}
        assert engine.score([]) == []
    for text, row in zip(texts, scores, strict=True):
        assert torch.allclose(torch.tensor(row), torch.tensor(tiny.log_probs(model, text)), atol=1e-5)
    assert found == {k: s.tokens for k, s in drawn(folder, asked)[0].items()}


# ---------------------------------------------------------------------- edges
def test_an_answer_may_fill_the_context_to_its_last_place_and_no_further(folder, model):
    asked = [Request(i, (7,) * 60, 4, seed=i) for i in range(20)]
    found, _ = drawn(folder, asked, slots=3)
    assert max(len(s.tokens) for s in found.values()) == 4
    assert all(tiny.apart(model, r, found[r.key]) < 1e-4 for r in asked)
    with pytest.raises(UserError, match="context of 64"):
        drawn(folder, [Request(0, (7,) * 60, 5)])


@pytest.mark.parametrize("bad", [Request(1, (5,) * 60, 10), Request(1, (), 5), Request(1, (5,), 0)])
def test_a_request_that_does_not_fit_is_refused_with_all_that_came_with_it(folder, bad):
    with TorchEngine(folder) as engine:
        with pytest.raises(UserError):
            engine.submit([Request(0, (5,), 4), bad])
        assert engine.poll() == []


def test_a_poll_comes_back_at_its_timeout_with_nothing(folder):
    with TorchEngine(folder, slots=2) as engine:
        asked = [Request(0, (5, 6), 60, seed=next(s for s in range(100) if length(folder, s) >= 45))]
        engine.submit(asked)
        assert engine.poll(0.0) == [] and engine.counts.steps == 1
        assert tiny.drain(engine, 1)[0].tokens == drawn(folder, asked)[0][0].tokens


def test_no_memory_is_said_before_a_request_is_lost(folder, monkeypatch):
    with TorchEngine(folder, slots=3) as engine:
        plenty = engine.decoder.cache

        def none(*_):
            raise RuntimeError("can't allocate memory: you tried to allocate 1 PB")

        monkeypatch.setattr(engine.decoder, "cache", none)
        engine.submit(tiny.requests(2))
        with pytest.raises(UserError, match=r"engine\.slots=3.*Lower engine\.slots"):
            engine.poll()
        monkeypatch.setattr(engine.decoder, "cache", plenty)
        assert set(tiny.drain(engine, 2)) == {0, 1}


@pytest.mark.parametrize("knobs", [dict(slots=0), dict(dtype="float8")])
def test_knobs_that_are_no_good(folder, knobs):
    with pytest.raises(UserError, match=f"engine.{next(iter(knobs))}"):
        TorchEngine(folder, **knobs)


def test_bfloat16_samples(folder, model):
    asked = tiny.requests(10)
    found, _ = drawn(folder, asked, dtype="bfloat16")
    assert 1e-4 < max(tiny.apart(model, r, found[r.key]) for r in asked) < 0.3
