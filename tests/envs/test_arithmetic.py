"""Synthetic word problems, read by somebody who knows only English: the question and the working agree."""

import re

import pytest

from pvg.envs.arithmetic import LARGEST, VERBS, synthetic
from pvg.envs.word_sources import problems
from pvg.errors import UserError
from pvg.language.answers import final_answer

MORE, LESS = {"finds", "buys", "gets"}, {"loses", "sells", "gives"}


@pytest.fixture(scope="module")
def made():
    return synthetic(3000, seed=1)


def test_the_working_tells_the_story_and_ends_with_the_answer(made):
    assert set(VERBS) == MORE | LESS
    for problem in made:
        name, have, _, *rest = re.fullmatch(
            r"(\w+) has (\d+) (\w+) \. (He|She) (\w+) (\d+) \. \4 (\w+) (\d+) \.", problem.question
        ).groups()
        assert name in {"Ann", "Eve"} if rest[0] == "She" else name in {"Ben", "Tom"}
        have, steps = int(have), []
        for verb, some in (rest[1:3], rest[3:5]):
            after = have + int(some) if verb in MORE else have - int(some)
            steps.append(f"{have} {'+' if verb in MORE else '-'} {some} = {after} .")
            have = after
            assert int(some) >= 1 and 1 <= have <= LARGEST
        assert problem.solution == " ".join([*steps, f"#### {have}"])
        assert problem.answer == str(have) == final_answer(problem.solution)


def test_they_differ_and_are_the_same_again(made):
    assert len({p.question for p in made}) == 3000
    assert synthetic(3000, seed=1) == made and synthetic(500, seed=1) == made[:500]
    assert len({p.question for p in synthetic(3000, seed=2)} & {p.question for p in made}) < 200
    numbers = {word for p in made for word in f"{p.question} {p.solution}".split() if word.isdigit()}
    assert numbers == {str(n) for n in range(1, LARGEST + 1)}


def test_more_than_there_are_is_refused():
    with pytest.raises(UserError, match=r"env\.count"):
        synthetic(count_by_hand() + 1)


def count_by_hand():
    """Walks over all stories: two kinds of verbs, three of each, 4 names, 4 things."""

    def after(have):
        return [have + s for s in range(1, 10) if have + s <= LARGEST] * 3 + [
            have - s for s in range(1, 10) if have - s >= 1
        ] * 3

    return 16 * sum(len(after(second)) for have in range(2, 10) for second in after(have))


def test_where_problems_come_from(tmp_path):
    assert problems(count=50) == synthetic(50, first=19)
    short = problems(count=300, longest=45)
    assert 0 < len(short) < 300 and all(len(p.question) <= 45 for p in short)
    file = tmp_path / "own.jsonl"
    file.write_text('{"question": "1 and 1?", "answer": "#### 2"}\n' * 3)
    assert [p.answer for p in problems("jsonl", str(file), count=2)] == ["2", "2"]
    for wrong in (dict(data="jsonl"), dict(data="else"), dict(longest=3)):
        with pytest.raises(UserError, match="env"):
            problems(**wrong)
