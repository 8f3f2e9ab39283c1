"""Word problems: reading, shares and mistakes, against Python's own arithmetic and problems written by hand."""

import hashlib
import json
import os
import random
import re
import subprocess
import sys
import types
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from pvg.envs.mistakes import corrupt
from pvg.envs.problems import SHARES, Problem, gsm8k, jsonl, part
from pvg.errors import UserError

OURS = Path(__file__).parent / "problems.jsonl"
FOLDER = os.environ.get("PVG_GSM8K")  # with train.jsonl and test.jsonl of GSM8K, where somebody has them

GOOD = {"question": "How many?", "answer": "There are 2*3 = <<2*3=6>>6.\n#### 6"}


def write(path, *lines):
    path.write_bytes(b"\n".join(x if isinstance(x, bytes) else json.dumps(x).encode() for x in lines))
    return path


# ---------------------------------------------------------------------- reading
def test_a_file_is_read_as_it_is_written():
    problems, rows = jsonl(OURS), [json.loads(line) for line in OURS.read_text().splitlines()]
    assert len(problems) == len(rows) == 30
    for problem, row in zip(problems, rows):
        assert problem.question == row["question"]
        assert row["answer"].endswith(f"#### {problem.answer}")
        assert problem.solution == re.sub("<<.*?>>", "", row["answer"])
    assert [p.answer for p in problems[1:6]] == ["5,000", "$13.50", "-7", "3/4", "2.5 hours"]


def test_annotations_stay_when_asked_for():
    assert "<<12*6=72>>" in jsonl(OURS, annotations=True)[0].solution
    assert not any("<<" in p.solution for p in jsonl(OURS))


def test_windows_ends_of_line_a_byte_order_mark_and_empty_lines_are_no_mistakes(tmp_path):
    line = json.dumps(GOOD).encode()
    path = tmp_path / "some.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + line + b"\r\n\r\n" + line + b"\n\n")
    assert jsonl(path) == [Problem("How many?", "There are 2*3 = 6.\n#### 6", "6")] * 2


@pytest.mark.parametrize(
    "line, complaint",
    [
        (b'{"question": "a", "answer"', "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "not JSON"),
        ([1, 2], "`question` is no text, or empty"),
        ({"answer": "#### 5"}, "`question` is no text, or empty"),
        ({"question": "  ", "answer": "#### 5"}, "`question` is no text, or empty"),
        ({"question": "a"}, "`answer` is no text, or empty"),
        ({"question": "a", "answer": 5}, "`answer` is no text, or empty"),
        ({"question": "a", "answer": "it is 5"}, "no ####"),
        ({"question": "a", "answer": "it is 5\n####  "}, "one line with the final answer"),
        ({"question": "a", "answer": "#### 5\nor 6"}, "one line with the final answer"),
    ],
)
def test_a_broken_line_is_named(tmp_path, line, complaint):
    path = write(tmp_path / "some.jsonl", GOOD, b"", line, GOOD)
    with pytest.raises(UserError) as error:
        jsonl(path)
    assert f"{path}:3: " in str(error.value) and complaint in str(error.value)


def test_files_that_are_missing_or_empty_are_named(tmp_path):
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(UserError, match=re.escape(str(path))):
            jsonl(path)
    with pytest.raises(UserError, match="holds no problems"):
        jsonl(write(tmp_path / "empty.jsonl", b"", b" "))


def test_gsm8k_takes_a_folder_or_a_file(tmp_path):
    other = GOOD | {"question": "How few?"}
    write(tmp_path / "train.jsonl", GOOD)
    write(tmp_path / "test.jsonl", other)
    assert [gsm8k(tmp_path, split=s)[0].question for s in ("train", "test")] == ["How many?", "How few?"]
    assert gsm8k(tmp_path / "test.jsonl", split="train")[0].question == "How few?"
    with pytest.raises(UserError, match="no split 'dev'; it has train and test"):
        gsm8k(tmp_path, split="dev")
    (tmp_path / "test.jsonl").unlink()
    with pytest.raises(UserError, match=re.escape(str(tmp_path / "test.jsonl"))):
        gsm8k(tmp_path, split="test")


def test_gsm8k_comes_from_the_hub(monkeypatch):
    asked = []

    def load_dataset(*names, split):
        asked.append((*names, split))
        return [GOOD, GOOD | {"answer": "nothing"}][: 1 if split == "test" else 2]

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset))
    assert gsm8k(split="test") == [Problem("How many?", "There are 2*3 = 6.\n#### 6", "6")]
    assert asked == [("openai/gsm8k", "main", "test")]
    with pytest.raises(UserError, match=r"openai/gsm8k, train, row 1: .*no ####"):
        gsm8k()


def test_without_the_hub_it_says_what_to_do(monkeypatch):
    def load_dataset(*names, split):
        raise ConnectionError("Couldn't reach the hub\nand more")

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset))
    with pytest.raises(UserError, match=r"Couldn't reach the hub\).*name their folder"):
        gsm8k()
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UserError, match=r"pip install datasets.*name their folder"):
        gsm8k()


# ---------------------------------------------------------------------- shares
def test_shares_are_what_they_have_always_been():
    """Worked out from the definition: sha256, its first 8 bytes, as a place between 0 and 1."""
    for problem in jsonl(OURS):
        text = f"3\n{problem.question.lower()}"
        place = int(hashlib.sha256(text.encode()).hexdigest()[:16], 16) / 16**16
        name = (
            "prover"
            if place < 0.4
            else "verifier"
            if place < 0.75
            else "calibration"
            if place < 0.85
            else "test"
        )
        assert part(problem.question, seed=3) == name


def test_the_same_question_falls_into_one_share_however_it_is_typed():
    for seed in range(50):
        asked = {part(q, seed) for q in ("How  many\neggs?", " how many eggs?", "How\u00a0many EGGS?")}
        assert len(asked) == 1
    assert len({part("How many eggs?", seed) for seed in range(150)}) == len(SHARES)


def test_shares_have_their_sizes():
    shares = dict(prover=1, verifier=2, test=3)
    sizes = Counter(part(f"What is {i} and {i}?", shares=shares) for i in range(6000))
    for name, expected in dict(prover=1000, verifier=2000, test=3000).items():
        assert abs(sizes[name] - expected) < 5 * (expected * (1 - expected / 6000)) ** 0.5


def test_shares_that_make_no_sense_are_refused():
    for shares in ({}, dict(prover=0, test=0), dict(prover=2, test=-1)):
        with pytest.raises(UserError, match="Shares"):
            part("a", shares=shares)
    assert part("a", shares=dict(prover=1, verifier=0)) == "prover"


# ---------------------------------------------------------------------- mistakes
def equations(text):
    """Whether each equation of our problems holds, by Python's floats."""
    found = re.findall(
        r"(?:^|[ $(>])([-\d.,*/+() ]*\d[*/+-][-\d.,*/+()]*) = (?:<<.*?>>)?\$?(?:<<.*?>>)?(-?[\d.,]*\d)", text
    )
    return [abs(eval(left.replace(",", "")) - float(right.replace(",", ""))) < 1e-9 for left, right in found]


def last(text):
    return Fraction(re.findall(r"-?[\d,]*\.?\d+", text)[-1].replace(",", ""))


def test_a_mistake_is_one_and_all_else_follows_from_it():
    lengths, wrong_places, count = set(), set(), 0
    for problem in jsonl(OURS):
        truth = equations(problem.solution)
        assert all(truth)
        for seed in range(20):
            wrong = corrupt(problem, random.Random(seed))
            if wrong is None:
                continue
            count += 1
            lengths.add(len(truth))
            assert last(wrong) != last(problem.solution)
            held = equations(wrong)
            assert len(held) == len(truth)
            assert held.count(False) == min(1, len(truth))
            if truth:
                wrong_places.add((len(truth), held.index(False)))
            # the same words, and numbers of the same kind
            assert re.sub(r"[\d,.]+", "", wrong) == re.sub(r"[\d,.]+", "", problem.solution)
            kinds = [
                [n.rstrip(".,").partition(".")[2].__len__() for n in re.findall(r"[\d,.]*\d", t)]
                for t in (wrong, problem.solution)
            ]
            assert kinds[0] == kinds[1]
    assert count > 400
    assert {(3, 0), (3, 1), (3, 2), (2, 0), (2, 1)} <= wrong_places  # not always in the last step


def test_a_mistake_carries_on():
    problem = Problem("", "12*2 = 24 in May.\nBoth make 24+48 = 72, and 72 is all.\n#### 72", "72")
    seen = {corrupt(problem, random.Random(seed)) for seed in range(200)}
    assert "12*2 = 25 in May.\nBoth make 25+48 = 73, and 73 is all.\n#### 73" in seen
    assert "12*2 = 24 in May.\nBoth make 24+48 = 71, and 71 is all.\n#### 71" in seen
    assert corrupt(problem, random.Random(7)) == corrupt(problem, random.Random(7))


def test_what_cannot_be_made_wrong_is_not():
    for solution, answer in [
        ("No number at all", "none"),
        ("It is said so.\n#### 7", "7"),  # no working to change
        ("3/4 of it.\n#### 3/4", "3/4"),
        ("2*3 = 6\n#### 7", "6"),  # ends with another number
        ("It was Tuesday, 4 days on.\n#### Tuesday", "Tuesday"),
        ("", ""),
    ]:
        assert corrupt(Problem("", solution, answer), random.Random(0)) is None


# ---------------------------------------------------------------------- GSM8K itself
@pytest.mark.skipif(not FOLDER, reason="PVG_GSM8K names no folder")
def test_all_of_gsm8k():
    train, test = gsm8k(FOLDER), gsm8k(FOLDER, split="test")
    assert (len(train), len(test)) == (7473, 1319)
    sizes = Counter(part(p.solution) for p in train + test)
    assert sizes.total() == 8792 and set(sizes) == set(SHARES)
    wrong = [corrupt(p, random.Random(i)) for i, p in enumerate(train[:500])]
    assert sum(w is not None for w in wrong) > 490
    assert all(w is None or last(w) != last(p.solution) for w, p in zip(wrong, train))


def test_the_hub_s_own_refusal_is_told(monkeypatch, tmp_path):
    """With the real package, offline."""
    for name, value in {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    code = "from pvg.envs.problems import gsm8k; gsm8k()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode and "GSM8K can't be fetched from the hub" in done.stderr, done.stderr
