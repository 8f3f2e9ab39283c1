"""Answers that mean harm: none is run, crashes anything or holds others up."""

import time

import pytest

from pvg.language.grader import Grader, _numbers_only

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
