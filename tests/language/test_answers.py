"""Answers: numbers against Python's own arithmetic, mathematics against math-verify, and strings that mean harm."""

import os
import random
import signal
import subprocess
import sys
import time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from pvg.envs.problems import gsm8k, jsonl
from pvg.errors import UserError
from pvg.language.answers import LONGEST, final_answer, grade, grade_fast, number
from pvg.language.grader import Grader, _numbers_only

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


# ---------------------------------------------------------------------- strings that mean harm
CODE = "__import__('os').system('touch {path}')"
HARMLESS = [  # they take no time
    "1e999999", "1e9999999999", "-1e-999999999", "-inf", "0/0", r"\frac{0}{0}", "\x00", "\x00\x00" * 99,
    "\u202e5\u202c7", "😀" * 50, "\ud800", "5\udfff", "1" * 10**6, "{" * 10**6, "{" * 8 + "}" * 8, "(" * 8,
    "\\" * 300, "$" * 301, "%" * 99, r"\frac" * 60, r"\def\x{\x\x}\x", r"\newcommand{\a}{\a\a}\a",
    r"\input{/etc/passwd}", r"\write18{ls}", "\u2028", "\x1b[31m5", "𝟓", "Ⅴ", "1_" * 9, r"\infty-\infty",
    r"\tan\frac{\pi}{2}", r"\log_{0}5", r"\gcd(0,0)", r"\max()", "i^i", "{0.__class__}", "%s%n", "'; --",
    "=" * 99, "5=" * 99, "|" * 9, r"\left(" * 9, "&", r"\begin{pmatrix}1&2", "~", "^", "_", "0x" * 30,
    "1,2," * 30, "5<!-- -->", "١٢", "½", "5²", ".", "-", "+", "/", "1/", "/1", "$", "e", "1e", "e5", "--",
    "\n",
]  # fmt: skip
HANGING = ["9^{9^{9^{9}}}", "10^{10^{10}}", r"(x+y+z)^{9000}", "99999999!"]
BOMBS = [
    r"((99!)!)!", r"\binom{100000000}{50000000}", r"\sum_{i=1}^{10^9} i^i", r"\prod_{i=1}^{10^8} i", r"\Gamma(10^9)",
    r"\operatorname{zeros}(100000,100000)", r"\operatorname{eye}(100000)", "{" * 190 + "5" + "}" * 190,
    "(" * 190 + "5" + ")" * 190, r"\sqrt{" * 60 + "2" + "}" * 60, r"\frac{" * 60 + "1" + "}{1}" * 60, "1^" * 190 + "1",
    r"\int e^{e^{x^2}}\sin(x^x) dx", r"\int_0^1 x^x dx", r"\{" * 50 + "1" + r"\}" * 50, "x^{100000}+y",
]  # fmt: skip


def verdicts_on(answers, seconds, workers=2):
    with Grader(workers, seconds) as grader:
        for answer in answers:
            grader.submit(answer, answer, "5")
        verdicts = {}
        while grader.pending:
            verdicts |= dict(grader.poll(120))
        assert len(grader._workers) <= workers
    return verdicts


def test_no_string_crashes_it_or_is_run(tmp_path):
    code = CODE.format(path=tmp_path / "run")
    runs = [
        code,
        rf"\text{{{code}}}",
        rf"x_{{{code}}}",
        rf"\operatorname{{{code}}}(1)",
        rf"\{{{code}\}}",
        "__import__('os')",
    ]
    verdicts = verdicts_on([*HARMLESS, *runs], 20)
    assert len(verdicts) == len({*HARMLESS, *runs})
    assert "right" not in [verdict for answer, verdict in verdicts.items() if not answer.startswith("5=")]
    for answer in (*runs, "\x00", "\ud800", "1" * 10**6, "-inf", r"\frac{0}{0}"):
        assert verdicts[answer] == "unparseable", answer
    assert not (tmp_path / "run").exists()


def test_sympy_evaluates_digits_and_nothing_else(tmp_path):
    guarded = _numbers_only(lambda code, local, everywhere: eval(code, everywhere, local))
    assert guarded("Integer (12 )", {}, {"Integer": int}) == 12
    assert guarded("Float ('1.5e3' )", {}, {"Float": float}) == 1500
    for code in (
        "open('/etc/passwd')",
        "Integer (__import__('os'))",
        "Integer (1 ).real",
        "Integer (1 ),x",
        "x",
    ):
        with pytest.raises(ValueError, match="not run"):
            guarded(code, {}, {"Integer": int})


def test_what_hangs_is_unparseable_and_others_are_not_held_up():
    with Grader(workers=1, seconds=1) as grader:
        for answer in HANGING[:2]:
            grader.submit(answer, answer, "5")
        for key in range(3):
            grader.submit(key, str(key), "1")
        assert grader.poll() == [(0, "wrong"), (1, "right"), (2, "wrong")]  # numbers wait for no worker
        grader.submit("after", r"\sqrt{25}", "5")
        verdicts, start = {}, time.monotonic()
        while grader.pending:
            verdicts |= dict(grader.poll())
            assert time.monotonic() < start + 100
            time.sleep(0.01)
        assert verdicts == {HANGING[0]: "unparseable", HANGING[1]: "unparseable", "after": "right"}
        assert grader.poll(timeout=None) == []


@pytest.mark.slow
def test_bombs_of_all_kinds():
    verdicts = verdicts_on([*HANGING, *BOMBS], 1)
    assert len(verdicts) == len(HANGING) + len(BOMBS)
    assert all(verdicts[answer] == "unparseable" for answer in HANGING)
    assert "right" not in [verdicts[a] for a in BOMBS if not a.startswith(("{", "(", r"\{"))]


# ---------------------------------------------------------------------- workers
def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_workers_start_when_there_is_work_for_them():
    with Grader(workers=2) as grader:
        grader.submit(0, "5", "5")
        assert grader.poll() == [(0, "right")] and not grader._workers
        assert grader.poll(timeout=None) == []
        grader.submit(1, r"\sqrt{25}", "5")
        assert len(grader._workers) == 1
        assert grader.poll(60) == [(1, "right")]
        assert grader.poll(timeout=None) == []
        pids = [w.process.pid for w in grader._workers]
    assert len(pids) == 1 and not any(map(alive, pids))
    grader.close()


def test_a_poll_with_a_timeout_comes_back():
    with Grader(seconds=60) as grader:
        grader.submit(0, HANGING[1], "5")
        start = time.monotonic()
        assert grader.poll() == [] and time.monotonic() - start < 0.2
        assert grader.poll(2.5) == [] and 2.4 < time.monotonic() - start < 4
        assert grader.pending == 1


def begun(grader, not_by=()):
    """The process that has begun on what is pending, once there is one."""

    def found():
        assert grader.poll() == []
        return any(w.ready and w.job and w.process.pid not in not_by for w in grader._workers)

    until(found)
    return grader._workers[0].process.pid


def test_a_worker_killed_from_outside_costs_nothing_and_one_that_dies_of_its_grade_a_verdict():
    with Grader(workers=1, seconds=60) as grader:
        grader.submit("long", HANGING[1], "5")
        grader.submit("next", r"\sqrt{25}", "5")
        first = begun(grader)
        os.kill(first, signal.SIGKILL)
        second = begun(grader, not_by=[first])
        os.kill(second, signal.SIGKILL)
        assert grader.poll(60) == [("long", "unparseable")]
        assert grader.poll(60) == [("next", "right")]
        os.kill(grader._workers[0].process.pid, signal.SIGKILL)  # with nothing to do
        grader.submit("last", r"\sqrt{25}", "6")
        assert grader.poll(60) == [("last", "wrong")]


ORPHANS = """
import os, sys, time
from pvg.language.grader import Grader
grader = Grader(workers=2, seconds=3)
grader.submit(0, "10^{10^{10}}", "5")
grader.submit(1, r"\\sqrt{25}", "5")
while grader.pending == 2:
    grader.poll(0.1)
holder = os.fork() if sys.argv[1] == "wait" else 0
if holder or sys.argv[1] == "exit":
    print(*[w.process.pid for w in grader._workers], holder, flush=True)
if sys.argv[1] == "wait":
    time.sleep(100)  # the fork too, so that the workers' pipes stay open
"""


@pytest.mark.parametrize("end", ["wait", "exit"])
def test_no_worker_outlives_the_program(end):
    process = subprocess.Popen([sys.executable, "-c", ORPHANS, end], stdout=subprocess.PIPE, text=True)
    try:
        *pids, holder = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 2
        if end == "wait":
            assert all(map(alive, [*pids, holder]))
            process.kill()
        assert process.wait(20) == (0 if end == "exit" else -signal.SIGKILL)
        until(lambda: not any(map(alive, pids)), 0.5 if end == "exit" else 20)
        if holder:
            os.kill(holder, signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_mistakes_are_named(monkeypatch):
    for options in (dict(workers=0), dict(seconds=0)):
        with pytest.raises(UserError, match="at least one worker"):
            Grader(**options)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install"):
        Grader()
    with pytest.raises(UserError, match="pip install"):
        grade(r"\frac12", "0.5")
    assert grade("0.50", "0.5") == "right"  # needs nothing


def test_a_library_that_cannot_be_loaded_is_said_to_be(tmp_path, monkeypatch):
    (tmp_path / "math_verify.py").write_text("raise ImportError('broken\\nin two')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    grader = Grader()
    grader.submit(0, r"\frac12", "0.5")
    with pytest.raises(UserError, match=r"ImportError: broken in two.*pip install"):
        grader.poll(60)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "math_verify.py").write_text("import os; os._exit(3)")
    grader = Grader()
    grader.submit(0, r"\frac12", "0.5")
    with pytest.raises(RuntimeError, match="exit status 3"):
        grader.poll(60)
    assert grader.pending == 0
