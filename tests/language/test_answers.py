"""Answers: numbers against Python's own arithmetic, and mathematics against math-verify."""

import os
import random
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from pvg.envs.problems import gsm8k, jsonl
from pvg.language.answers import LONGEST, final_answer, grade, grade_fast, number
from pvg.language.grader import Grader

OURS = Path(__file__).parents[1] / "envs" / "problems.jsonl"
FOLDER = os.environ.get("PVG_GSM8K")  # with train.jsonl and test.jsonl of GSM8K, where somebody has them


# ---------------------------------------------------------------------- where the answer is
@pytest.mark.parametrize(
    "text, answer",
    [
        ("2*3 = 6\n#### 6", "6"),
        ("2*3 = 6\nAnswer: 6", "6"),
        ("Answer: 5\nNo, wait.\n#### 6\n", "6"),
        ("#### 5\nAnswer: 6 eggs.  \nThat is all, 7.", "6 eggs."),
        ("#### 5 #### 6", "6"),
        ("Answer: 5 Answer: 6\r\n7", "6"),
        ("##### 6", "6"),
        ("####6", "6"),
        ("Answer:", None),
        ("#### 5\n####  \n6", None),
        ("It is 6.", None),
        ("### 6", None),
        ("", None),
        ("x" * 1_000_000 + "#### 6", "6"),
        ("####" * 1_000_000, None),
    ],
)
def test_final_answer_stands_after_the_last_mark(text, answer):
    assert final_answer(text) == answer


# ---------------------------------------------------------------------- numbers
def spellings(value, rng):
    """Ways to write a decimal number, by Python's own formatting."""
    sign, size = ("-" if value < 0 else ""), abs(value)
    yield f"{value}"
    yield f"{value:,}"
    yield f"{sign}${size:,}"
    yield f"${value}"
    yield f"{value:,} {rng.choice(['dollars', 'eggs.', 'sq. ft.', 'km/h', 'm', 'cm^2', 'cents per day', '€', '°'])}"
    yield f"**{value}**."
    yield f"  {value}. "
    yield f"{value}".replace("-", "\u2212")
    yield f"{sign}00{size}"
    yield f"{'+' * (value >= 0)}{value}"
    yield f"{value:.6f}"
    yield f"{value:.12e}"
    yield f"{value}%"
    yield rf"\boxed{{{value}}}"
    yield f"${value}$"
    yield rf"{value}\%"
    fraction = Fraction(value) * 6
    yield f"{fraction.numerator}/{fraction.denominator * 6}"


def numbers(count):
    rng = random.Random(0)
    for _ in range(count):
        places = rng.choice([0, 0, 0, 1, 2, 3])
        yield Decimal(rng.randint(-(10 ** rng.randint(1, 9)), 10 ** rng.randint(1, 9))).scaleb(-places), rng


def test_a_number_is_what_python_says_it_is():
    for value, rng in numbers(300):
        for text in spellings(value, rng):
            read = number(text)
            assert read is not None and read.face == Fraction(value), text
            assert grade(text, str(value)) == "right", text
            assert grade(text, str(value + Decimal("0.001"))) == "wrong", text
            assert grade(str(-value or 1), text) == "wrong", text


def test_numbers_are_graded_as_math_verify_does():
    """It doesn't read 1.5e3, spelled minus signs and such; on what it does it must agree."""
    from math_verify import parse, verify

    for value, _ in numbers(60):
        for other in (value, -value - 1, value * 10):
            for text in (
                f"{value}",
                f"{value:,}",
                f"${abs(value)}" if value > 0 else f"{value}",
                f"{value}.",
            ):
                theirs = verify(
                    parse(str(other), parsing_timeout=None),
                    parse(text, parsing_timeout=None),
                    timeout_seconds=None,
                )
                assert grade_fast(text, str(other)) == ("right" if theirs else "wrong"), (text, other)


@pytest.mark.parametrize(
    "answer, reference, verdict",
    [
        ("1 1/2", "1.5", "right"),
        ("-2 1/2", "-2.5", "right"),
        ("2/4 cups", "1/2", "right"),
        ("1/3", "0.333333", "wrong"),
        ("50%", "0.5", "right"),
        ("50 percent", "50", "right"),
        ("50%", "5000", "wrong"),
        ("5 million", "5,000,000", "right"),
        ("5 million", "5 billion", "wrong"),
        ("2 dozen eggs", "24", "right"),
        ("2 dozen eggs", "2", "right"),
        ("1.5e3", "1500", "right"),
        ("\u200f72\u200e", "72", "right"),
        ("Tuesday", "tuesday", "right"),
        ("1/0", "5", "unparseable"),
        ("nan", "5", "unparseable"),
        ("inf", "5", "unparseable"),
        ("", "5", "unparseable"),
        (None, "5", "unparseable"),
        (" . ", "5", "unparseable"),
        ("5 or 6", "5", "unparseable"),
        ("5 and 6 more", "5", "unparseable"),
        ("5 apples, 6 pears", "5", "unparseable"),
        ("the answer is 5", "5", "unparseable"),
        ("Wednesday", "Tuesday", "unparseable"),
        ("1 080", "1080", "unparseable"),
        ("0.333...", "1/3", "unparseable"),
        ("٥", "5", "unparseable"),
        ("5" * (LONGEST + 1), "5" * (LONGEST + 1), "unparseable"),
        ("5" * LONGEST, "5", "wrong"),
    ],
)
def test_grades_of_numbers_and_of_prose(answer, reference, verdict):
    assert grade(answer, reference) == verdict


LATEX = [
    (r"\frac12", "0.5", "right"),
    (r"\frac{1}{3}", "1/3", "right"),
    (r"\frac{1}{3}", "0.333333", "wrong"),
    (r"\sqrt{16}", "4", "right"),
    (r"72\text{ cm}", "72", "right"),
    (r"5 \text{ or } 7", "5", "unparseable"),
    ("x = 5", "5", "right"),
    ("9*2 = 18", "18", "right"),
    ("18 = 9*2 = 3", "18", "wrong"),
    ("1.5 x 10^3", "1500", "right"),
    (r"1.5 \times 10^{3}", "1500", "right"),
    ("10^10", "10000000000", "right"),
    ("2**3", "8", "right"),
    ("0.1+0.2", "0.3", "right"),
    ("2x+3", "3+2x", "right"),
    ("5x", "5", "wrong"),
    ("5, 7", "5", "wrong"),
    (r"\{1,2\}", r"\{2,1\}", "right"),
    (r"\frac{5}{0}", "5", "unparseable"),
    (r"\frac{5}{", "5", "unparseable"),
    ("5) 7", "5", "unparseable"),
    ("7\x00", "7", "unparseable"),
    (r"\sum_{i=1}^{3} i", "6", "right"),
    ("x^2=4", "x^2-4=0", "right"),
]


def test_mathematics_is_graded_and_in_workers_no_other_way():
    with Grader(workers=2, seconds=20) as grader:
        for key, (answer, reference, _) in enumerate(LATEX):
            grader.submit(key, answer, reference)
        verdicts = {}
        while grader.pending:
            verdicts |= dict(grader.poll(60))
    for key, (answer, reference, verdict) in enumerate(LATEX):
        assert verdicts[key] == verdict, (answer, reference)
        assert grade(answer, reference) == verdict, (answer, reference)


def test_our_problems_are_right_against_themselves_and_each_other_wrong():
    problems = jsonl(OURS)
    for problem in problems:
        assert grade(final_answer(problem.solution), problem.answer) == "right"
        other = number(problem.answer).face + 1
        assert grade(str(other), problem.answer) == "wrong"


@pytest.mark.skipif(not FOLDER, reason="PVG_GSM8K names no folder")
def test_gsm8k_is_right_against_itself():
    problems = gsm8k(FOLDER) + gsm8k(FOLDER, split="test")
    assert len(problems) == 8792
    for problem in problems:
        value = Decimal(problem.answer.replace(",", ""))
        assert grade(final_answer(problem.solution), problem.answer) == "right"
        assert grade(f"${value:,.2f}", problem.answer) == "right"
        assert grade(str(value + 1), problem.answer) == "wrong"
