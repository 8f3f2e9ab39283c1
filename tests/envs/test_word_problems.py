"""Word problems as an exchange: what is claimed, what is heard, and what is taught, against plain Python on texts."""

import random
import re
from pathlib import Path

import pytest
import torch

from pvg.envs.arithmetic import LARGEST, NAMES, VERBS, synthetic
from pvg.envs.claims import make_claims
from pvg.envs.problems import Problem, part
from pvg.envs.protocols import adp, debate, nip, solo
from pvg.errors import UserError
from pvg.evaluation import held_out, see
from tests.envs.scenarios import word_problems, words

WEEK = Problem("How many days has a week?", "#### 7", "7")
PROBLEMS = Path(__file__).parent / "problems.jsonl"


def solve(question):
    """What remains in the end, from the words of a synthetic problem."""
    first, *deeds = question.split(" . ")
    have = int(re.search(r"has (\d+)", first)[1])
    for _, verb, some in (deed.rstrip(" .").split() for deed in deeds):
        have += VERBS[verb] * int(some)
    return have


def read(text):
    """Role, question and claimed answer of what a prover is given."""
    return re.fullmatch(r"(helpful|sneaky) : (.*) answer (\d+)", text).groups()


def text_of(env, ids):
    return env.tokenizer.decode([i for i in ids.tolist() if i != env.pad])


def game(env, index):
    index = torch.as_tensor(index)
    return env.new_games(index, index)


# ---------------------------------------------------------------------- instances
@pytest.mark.parametrize("steps", [1, 3])
def test_a_claim_is_right_if_and_only_if_it_is_labelled_so(steps):
    env = word_problems(adp(), train=300, test=60, steps=steps)
    labels = env.instances["label"].tolist()
    for i, label in enumerate(labels):
        role, question, claim = read(env.describe(i))
        assert (solve(question) == int(claim)) == label == (role == "helpful")
        assert 0 <= int(claim) <= LARGEST
    assert abs(sum(labels[:300]) - 150) <= 20 and abs(sum(labels[300:]) - 30) <= 10


def test_an_answer_alone_tells_nothing():
    claims = make_claims(synthetic(2000, steps=2), random.Random(1))
    shares = {}
    for claim in claims:
        shares.setdefault(claim.answer, []).append(claim.label)
    best = sum(max(sum(x), len(x) - sum(x)) for x in shares.values()) / len(claims)
    assert best < 0.53  # of whoever knows how often each answer is claimed rightly


def test_held_out_problems_are_the_test_part_and_in_no_training():
    env = word_problems(adp(), train=300, test=60)
    questions = [read(env.describe(i))[1] for i in range(len(env.instances))]
    known = []
    for question in questions:  # of one step: "Ann has 3 pens . She buys 4 ."
        a, verb, b = re.fullmatch(r"\w+ has (\d+) \w+ \. \w+ (\w+) (\d+) \.", question).groups()
        sum_ = int(a) + VERBS[verb] * int(b)
        known.append(f"{a} {'+' if VERBS[verb] > 0 else '-'} {b} = {sum_} . #### {sum_}")
    test = [known[i] for i in held_out(env).tolist()]
    assert len(test) == 60 and not set(test) & set(known[:300])  # not under other names either
    assert {part(s) for s in test} == {"test"} and "test" not in {part(s) for s in known[:300]}


def test_a_problem_without_an_equation_gets_a_number_near_the_right_one():
    (*_, bare) = claims = make_claims([WEEK, WEEK], random.Random(0))
    assert claims[0].label and not bare.label and bare.solution is None
    assert 0 < abs(int(bare.answer) - 7) <= 3


# ---------------------------------------------------------------------- what is heard
def test_the_verifier_reads_exactly_what_the_prover_said():
    env = word_problems(nip(2), most=6)
    prover, verifier = (env.protocol.places(a)[0] for a in ("prover", "verifier"))
    index = torch.arange(30)
    said = torch.randint(3, env.words, (30, 6))
    for i in range(30):
        if i % 7 < 6:
            said[i, i % 7] = env.end  # and what follows is padding, whatever it is
    games, _, _ = env.act(game(env, index), 0, 0, [said])
    view = env.view("verifier", see(env, games, verifier))
    for i in range(30):
        count = i % 7 + 1 if i % 7 < 6 else 6
        _, question, claim = read(env.describe(i))
        expected = [
            *env._ids(f"check : {question} solution :"),
            *said[i, :count].tolist(),
            *env._ids(f"answer {claim} question :"),
        ]
        assert view["length"][i] == len(expected) and view["tokens"][i, : len(expected)].tolist() == expected
        assert (view["tokens"][i, len(expected) :] == env.pad).all()
        judged = [*said[i, :count].tolist(), *env._ids(f"answer {claim}")]
        assert view["tokens"][i][view["judged"][i]].tolist() == judged
    asked = torch.cat([torch.randint(3, env.words, (30, env.ask)), torch.full((30, 1), 2)], 1)
    games, _, _ = env.act(games, 0, 1, [asked])
    games["round"] += 1
    again = env.view("prover", see(env, games, prover))
    text = text_of(env, again["tokens"][3])
    assert text == (
        f"{env.describe(3)} solution : {text_of(env, said[3, :4])} question : {text_of(env, asked[3, :-1])} solution :"
    )


def test_what_follows_the_end_changes_no_view():
    env = word_problems(nip(2), most=6)
    said = torch.tensor([[5, 6, env.end, 7, 8, 9], [5, 6, env.end, env.pad, env.end, 3]])
    games, _, _ = env.act(game(env, [4, 4]), 0, 0, [said])
    for agent in ("prover", "verifier"):
        view = env.view(agent, see(env, games, env.protocol.places(agent)[0]))
        assert all(torch.equal(x[0], x[1]) for x in view.values())


def test_a_solo_verifier_sees_problem_and_claim_and_debaters_are_told_apart():
    env = word_problems(solo(), ask=0)
    view = env.view("verifier", see(env, game(env, [5]), env.protocol.places()[0]))
    _, question, claim = read(env.describe(5))
    assert text_of(env, view["tokens"][0]) == f"check : {question} answer {claim}"
    env = word_problems(debate(1))
    said = [torch.full((1, 4), env._ids(word)[0]) for word in ("Ann", "Ben")]
    games, _, _ = env.act(game(env, [5]), 0, 0, said)
    view = env.view("verifier", see(env, games, env.protocol.places("verifier")[0]))
    assert "solution 1 : Ann Ann Ann Ann solution 2 : Ben Ben Ben Ben answer" in text_of(
        env, view["tokens"][0]
    )


def test_no_text_is_longer_than_it_is_said_to_be():
    env = word_problems(nip(3), slots=200)
    torch.manual_seed(0)
    frames = env.rollout(20)
    for agent, own in (("prover", env.most), ("verifier", env.ask)):
        lengths = env.view(agent, frames[agent, "observation"].flatten())["length"]
        assert lengths.max() + own <= env.reach(agent) <= lengths.max() + own + 4


# ---------------------------------------------------------------------- what is taught
def test_provers_are_taught_a_solution_that_leads_to_the_claim():
    env = word_problems(adp(), most=30, train=200, steps=3)
    rows = game(env, torch.arange(200))
    taught = env.teach("prover", see(env, rows, env.protocol.places("prover")[0]))
    for i, row in enumerate(taught):
        claim = read(env.describe(i))[2]
        solution = env.tokenizer.decode(row[: int((row >= 0).sum())].tolist())
        assert solution.endswith(f"#### {claim} <end>")
        equations = [bool(eval(e.replace("=", "=="))) for e in re.findall(r"\d+ [+-] \d+ = \d+", solution)]
        assert len(equations) == 3 and sum(not e for e in equations) == (not env.instances["label"][i])
    label = env.teach("verifier", see(env, rows, env.protocol.places("verifier")[0]))[:, -1]
    assert label.tolist() == env.instances["label"][:200].long().tolist()


def test_a_long_solution_is_taught_in_pieces_and_then_the_end():
    whole = word_problems(nip(4), most=30, steps=2)
    env = word_problems(nip(4), most=6, steps=2)  # of 15 tokens
    rows, place = game(env, torch.arange(40)), env.protocol.places("prover")[0]
    lesson = whole.teach("prover", see(whole, rows, place))[:, :15]
    pieces = []
    for turn in range(4):
        rows["round"].fill_(turn)
        pieces.append(env.teach("prover", see(env, rows, place)))
    assert torch.equal(torch.cat(pieces[:3], 1)[:, :15], lesson) and (pieces[2][:, 3:] == -1).all()
    assert (pieces[3][:, 0] == env.end).all() and (pieces[3][:, 1:] == -1).all()


# ---------------------------------------------------------------------- data of one's own, and what is wrong
class Letters:
    """A tokenizer with a token for every byte."""

    eos_token_id, pad_token_id, unk_token_id, chat_template = 0, 1, None, None

    def __len__(self):
        return 258

    def __call__(self, text, add_special_tokens=False):
        return _Ids([b + 2 for b in text.encode()])

    def decode(self, ids, skip_special_tokens=False):
        return bytes(i - 2 for i in ids if i > 1).decode(errors="replace")


class _Ids:
    def __init__(self, ids):
        self.input_ids = ids


def test_problems_of_a_file_are_played_to_the_letter(tmp_path):
    lines = PROBLEMS.read_text().splitlines() * 12
    file = tmp_path / "many.jsonl"
    file.write_text("\n".join(line.replace("?", f" ({i})?", 1) for i, line in enumerate(lines)))
    env = word_problems(adp(), tokenizer=Letters(), data="gsm8k", path=str(file), most=300)
    assert env.train_size == 40 and 5 < env.test_size <= 20
    texts = [env.describe(i) for i in range(40)]
    assert any("$4.50 each" in text for text in texts) and any(text.startswith("sneaky : ") for text in texts)
    env.rollout(3)


@pytest.mark.parametrize(
    "options, named",
    [
        (dict(data="algebra"), "env.data=algebra"),
        (dict(templates={"judge": "{question}"}), "env.templates.judge"),
        (dict(templates={"claim": "so it is"}), "put {answer}"),
        (dict(most=0), "env.most=0"),
        (dict(ask=-1), "env.ask=-1"),
        (dict(steps=0), "env.steps=0"),
        (dict(train=6500), "of 1 steps"),
        (dict(train=-1), "env.train=-1"),
        (dict(data="gsm8k", path=str(PROBLEMS)), "vocabulary lacks words"),
        (dict(data="gsm8k", path="nowhere"), "nowhere"),
    ],
)
def test_a_wrong_environment_is_refused_in_one_paragraph(options, named):
    with pytest.raises(UserError, match=re.escape(named)) as error:
        word_problems(adp(), **options)
    assert "\n" not in str(error.value)


def test_the_vocabulary_is_that_of_the_problems():
    assert len(words()) < 64 and set(NAMES) <= set(words().get_vocab())
