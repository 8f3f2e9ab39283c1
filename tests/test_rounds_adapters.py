"""Real models in small: a pretrained Qwen that chats plays by the settings for real ones, and learns in adapters."""

import json
import random

import pytest
import torch
import yaml
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from pvg import checkpoint
from pvg.agents.family import Family, Lora, Tiny
from pvg.agents.language import texts
from pvg.envs.problems import Problem
from pvg.envs.prompts import CHAT
from pvg.language.grader import Grader
from pvg.language.models import load_tokenizer
from pvg.language.sampler import TorchEngine
from pvg.trainers.lessons import lessons
from pvg.trainers.policy_gradient import PolicyGradient
from pvg.trainers.rounds import Rounds
from pvg.trainers.supervised import Descent, Optimiser, Start, imitate

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant\n"
)
PROBLEMS = [
    Problem(f"{name} has {count} {things} .", f"{count} {things} .\n#### {count}", str(count))
    for count in range(2, 40)
    for name in ("Ann", "Ben")
    for things in ("pens", "books", "coins")
]


def qwen_tokenizer(words):
    """Pieces of bytes, as Qwen's has them, with its marks of who speaks."""
    plain = Tokenizer(models.BPE())
    plain.pre_tokenizer, plain.decoder = (
        pre_tokenizers.ByteLevel(add_prefix_space=False),
        decoders.ByteLevel(),
    )
    marks, bytes_ = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], pre_tokenizers.ByteLevel.alphabet()
    how = dict(vocab_size=600, special_tokens=marks, initial_alphabet=bytes_, show_progress=False)
    plain.train_from_iterator(words, trainers.BpeTrainer(**how))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=plain, eos_token=marks[2], pad_token=marks[0])
    tokenizer.chat_template = TEMPLATE
    return tokenizer


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A folder with a small Qwen that solves the problems, mostly, and one with them in GSM8K's layout."""
    torch.manual_seed(0)
    folder, data = tmp_path_factory.mktemp("qwen"), tmp_path_factory.mktemp("data")
    words = [*CHAT.values(), "user assistant", *(f"{p.question} {p.solution}" for p in PROBLEMS)]
    tokenizer = qwen_tokenizer(words)
    tokenizer.save_pretrained(folder)
    sizes = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, max_position_embeddings=160)
    heads = dict(num_attention_heads=2, num_key_value_heads=1, tie_word_embeddings=True)
    ends = dict(eos_token_id=tokenizer.eos_token_id, bos_token_id=None)
    config = Qwen2Config(vocab_size=len(tokenizer), initializer_range=0.11, **sizes, **heads, **ends)
    Qwen2ForCausalLM(config).save_pretrained(folder)

    prover = (cast := Family(model=str(folder), most=None).make(PROBLEMS, 0, "cpu")).prover
    worked, how = lessons(cast.book, ("helpful", "sneaky")), Descent(learning_rate=1e-2, batch=32)
    optimiser, draw = Optimiser(prover, how, 240), torch.Generator().manual_seed(0)
    for _ in range(240):
        imitate(prover, worked[torch.randint(len(worked), (how.batch,), generator=draw)], optimiser)
    prover.plain.save_pretrained(folder)

    order = random.Random(0).sample(PROBLEMS, len(PROBLEMS))
    for name, own in (("train", order[:180]), ("test", order[180:])):
        rows = [json.dumps({"question": p.question, "answer": p.solution}) for p in own]
        (data / f"{name}.jsonl").write_text("\n".join(rows))
    return folder, data


def test_the_settings_for_real_models_play(pvg, model):
    folder, data = model
    short = (
        "trainer.rounds=1 trainer.test=30 trainer.checking.steps=3 trainer.checking.problems=30 "
        "trainer.provers.iterations=2 trainer.provers.problems=3 engine=torch tracker=csv folder=run"
    )
    done = pvg("experiment=rounds_gsm8k", f"agents.model={folder}", f"env.path={data}", *short.split()).ok()
    run = done.folder / "run"
    found = json.loads((run / "result.json").read_text())
    start = next(row for row in found["rounds"] if row["what"] == "start")
    assert start["helpful/accuracy"] > 0.3, "it could solve them before"
    assert [row["what"] for row in found["rounds"]] == ["start", "solver", "checked", "attacked", "checked"]
    kept = yaml.safe_load((run / "config.yaml").read_text())
    rates = [kept["trainer"][who]["descent"]["learning_rate"] for who in ("checking", "provers")]
    assert kept["trainer"]["start"]["steps"] == 0 and max(rates) < 1e-4
    assert kept["device"] == ("cuda" if torch.cuda.is_available() else "cpu")
    tokenizer = load_tokenizer(folder)
    longest = max(len(tokenizer(p.solution).input_ids) for p in PROBLEMS) + 1
    rows = [json.loads(line) for line in (run / "attempts/final.jsonl").read_text().splitlines()[1:]]
    assert max(len(row["tokens"]) for row in rows) == longest
    state = checkpoint.load(run)["trainer"]
    for name in ("prover", "verifier"):
        learned = state[name]
        assert all(".lora_" in key or "." not in key or key.startswith("head.") for key in learned)
        moved = [key for key, x in learned.items() if not torch.equal(x, state["begun"][name][key])]
        assert any(".lora_B" in key for key in moved), "adapters have learned"


# ---------------------------------------------------------------------- adapters alone are kept
WIDE = Tiny(width=16, layers=1, heads=1, hidden=6000)  # beside which adapters are small


def game(cast, engine, grader):
    """Two steps of the start, then an attack with a pull to where it began."""
    how = PolicyGradient(
        iterations=4, problems=3, samples=4, kl=0.1, lessons=0.0, descent=Descent(1e-2, batch=24)
    )
    start = Start(2, 2, descent=Descent(1e-2, batch=16))
    made = Rounds(
        cast.book, cast.prover, cast.verifier, engine, grader, rounds=1, test=10, start=start, provers=how
    )
    made.schedule = [step for step in made.schedule if step[0] in ("imitate", "read", "begin", "attack")]
    made.iterations = len(made.schedule)
    return made


def cast_of(seed=0):
    return Family(tiny=WIDE, tiny_verifier=WIDE, most=None, lora=Lora(rank=1)).make(PROBLEMS, seed, "cpu")


def test_checkpoints_keep_adapters_alone_and_go_on_to_the_same_weights(tmp_path):
    cast = cast_of()
    whole = sum(p.numel() for p in cast.prover.parameters())
    learned = sum(x.numel() for x in cast.prover.learned().values())
    assert learned < whole / 10
    with TorchEngine(cast.folder, slots=16) as engine, Grader() as grader:
        trainer, kept = game(cast, engine, grader), {}

        def report(iteration, metrics):
            if iteration == 7:  # in the middle of the attack
                checkpoint.save(tmp_path, {"trainer": trainer.state_dict()}, iteration)
            kept[iteration] = metrics

        trainer.train(report)
    (file,) = tmp_path.glob("*.pt")
    agents, moments = 2, 2  # both agents as they are and as they began; Adam's two of the prover
    assert file.stat().st_size < 4 * learned * (2 * agents + moments) + 100_000 < 4 * whole * 2
    again = cast_of()
    with TorchEngine(again.folder, slots=16) as engine, Grader() as grader:
        resumed = game(again, engine, grader)
        resumed.load_state_dict(checkpoint.load(tmp_path)["trainer"])
        resumed.train()
    for name, weight in cast.prover.state_dict().items():
        assert torch.equal(weight, again.prover.state_dict()[name]), name
    begun = trainer.begun["prover"]
    assert any(not torch.equal(x, begun[name]) for name, x in cast.prover.learned().items())


def test_the_reference_is_the_prover_as_it_began():
    cast, batch = cast_of(), texts([[5, 6, 7], [9]], [[8, 1], [10, 11, 1]])
    base = cast.prover.log_probs(batch)  # adapters that have learned nothing
    begun = {name: x.clone() for name, x in cast.prover.learned().items()}
    torch.manual_seed(1)
    with torch.no_grad():
        for x in cast.prover.learned().values():
            x.add_(0.1 * torch.randn_like(x))
    now = cast.prover.log_probs(batch)
    with cast.prover.being(begun):
        assert torch.equal(cast.prover.log_probs(batch), base)
    with cast.prover.model.disable_adapter():
        assert torch.allclose(cast.prover.log_probs(batch), base, atol=1e-6)
    assert torch.equal(cast.prover.log_probs(batch), now) and not torch.allclose(now, base, atol=1e-2)


def test_another_agents_state_is_refused():
    one, other = cast_of(), Family(tiny=WIDE, tiny_verifier=WIDE, most=None).make(PROBLEMS, 0, "cpu")
    with pytest.raises(ValueError, match="not of these agents"):
        one.prover.restore(other.prover.learned())
