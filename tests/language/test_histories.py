"""Scores in journals that are finished."""

import json
import random
from dataclasses import replace

import pytest

from pvg.errors import UserError
from pvg.language.attempts import Journal
from pvg.language.histories import read_attempts, write_scores
from tests.language.test_queue import EXPECTED

BELONGS = {"seed": 7, "wanted": {"helpful": "right"}}


@pytest.fixture
def path(tmp_path):
    """A journal in the order in which tries are finished somewhere."""
    rounds: dict[int, list] = {}
    for attempt in EXPECTED:
        rounds.setdefault(attempt.number, []).append(attempt)
    journal = Journal(tmp_path / "round-0.jsonl", BELONGS)
    for _, same in sorted(rounds.items()):
        random.Random(0).shuffle(same)
        journal.write(same)
    journal.close()
    return tmp_path / "round-0.jsonl"


def scores():
    return [hash((a.task, a.number)) % 997 / 100 - 5 for a in EXPECTED]


def test_every_attempt_gets_its_own_score(path):
    write_scores(path, scores())
    lines = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    found = {(line["task"], line["number"]): line["score"] for line in lines}
    assert found == {(a.task, a.number): s for a, s in zip(EXPECTED, scores(), strict=True)}
    assert len(lines) == len(EXPECTED) > 400
    write_scores(path, [1.5] * len(EXPECTED))  # another verifier's
    assert {a.score for a in read_attempts(path)} == {1.5} and read_attempts(path) == EXPECTED
    assert [file.name for file in path.parent.iterdir()] == ["round-0.jsonl"]


def test_a_queue_that_goes_on_finds_the_attempts_that_it_left(path):
    before = Journal(path, BELONGS)
    write_scores(path, scores())
    after = Journal(path, BELONGS)
    assert sorted(after.attempts(), key=lambda a: (a.task, a.number)) == EXPECTED
    assert {a.task: a for a in after.attempts()} == {
        a.task: a for a in before.attempts()
    }  # the last try of each
    assert replace(EXPECTED[0], score=3.0) == EXPECTED[0] != replace(EXPECTED[0], number=99)
    before.close(), after.close()


def test_a_journal_that_was_changed_is_named_and_left(path):
    content = path.read_bytes()
    with pytest.raises(UserError, match=r"round-0.jsonl holds \d+ attempts where the run made 3"):
        write_scores(path, [0.0] * 3)
    assert path.read_bytes() == content
    path.write_bytes(content[:-20])
    with pytest.raises(UserError, match=r"round-0.jsonl can't be read"):
        write_scores(path, scores())
    assert path.read_bytes() == content[:-20]
