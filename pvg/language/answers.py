"""Final answers of solutions: where they stand, and whether they are right.

Numbers are compared exactly; all other mathematics is `math-verify`'s.
"""

from __future__ import annotations

import importlib.util
import logging
import re
import unicodedata
from fractions import Fraction
from itertools import accumulate
from typing import Any, Literal, NamedTuple

from pvg.errors import UserError

Verdict = Literal["right", "wrong", "unparseable"]

LONGEST = 400  # characters; a longer answer is unparseable, whatever it says
SPELLINGS = str.maketrans(
    dict.fromkeys("\u2212\u2013\uff0d", "-")
    | dict.fromkeys("\t\xa0\u2009\u202f", " ")
    | {"\u2019": "'", "·": "*"}
)
WRAPPERS = (("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"), (r"\boxed{", "}"), (r"\text{", "}"))
MARKS = ("####", "Answer:")
SCALES = {
    "%": Fraction(1, 100),
    "percent": Fraction(1, 100),
    "dozen": Fraction(12),
    "hundred": Fraction(100),
    "thousand": Fraction(10**3),
    "million": Fraction(10**6),
    "billion": Fraction(10**9),
    "trillion": Fraction(10**12),
}
# Whole exponents of at most three digits: what is greater is no number that anybody answers, and slow to compare.
AMOUNT = r"(?:(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3}(?![0-9]))?"
CURRENCY = r"(?:(?:US)?\$|[€£¥₹])"
NUMBER = re.compile(
    rf"""(?:(?P<sign>[-+])?\s*{CURRENCY}?|{CURRENCY}\s*(?P<inner>[-+]))\s*
    (?:(?P<whole>[0-9]+)\s+(?=[0-9]+\s*/))?
    (?P<amount>{AMOUNT})(?:\s*/\s*(?P<under>{AMOUNT}))?
    (?:\s*(?P<scale>{"|".join(SCALES)})s?(?![^\W\d_]))?
    (?:\s*(?:{CURRENCY}|°))?
    (?:(?:\s+|(?=[^\W\d_]{{2}}))(?!pi\b)(?:(?=.*[^\W\d_]{{2}})(?:[^\W\d_]|\^[23]|[ .,'/°²³-])+|[mglhs]))?
    \.?""",
    re.VERBOSE | re.IGNORECASE,
)
UNIT = re.compile(r"(?:\\[ ,;!]|~|\s)*\\(?:text|mathrm|mbox)\s*\{[^{}]*\}(?:\^\{?[23]\}?)?$")
COMMAND = re.compile(r"\\(?:begin|end|operatorname|math[a-z]+)\{[a-zA-Z*]+\}|\\[a-zA-Z]+")
PROSE = re.compile(r"[^\W\d_]{3}|\b(?:or|is|to|of|no)\b|[0-9]\s+[0-9]", re.IGNORECASE)


def final_answer(text: str) -> str | None:
    """What stands after the last ``####`` or ``Answer:`` up to the end of its line; None where nothing does.

    No other number of the text is taken for an answer.
    """
    start = max((text.rfind(mark) + len(mark) for mark in MARKS if mark in text), default=len(text))
    return re.split(r"[\r\n]", text[start:], maxsplit=1)[0].strip() or None


class Number(NamedTuple):
    """A number as it is written, and what a word or sign after it multiplies it by."""

    face: Fraction
    scale: Fraction

    def equals(self, other: Number) -> bool:
        """Whether the two say the same; where only one has a scale it may be a unit ("how many percent?") or not."""
        if self.face * self.scale == other.face * other.scale:
            return True
        return self.face == other.face and (self.scale == other.scale or 1 in (self.scale, other.scale))


def number(text: str) -> Number | None:
    """The number that all of a text is, exactly; None for anything else.

    Read are whole, decimal, mixed and broken numbers, exponents to 999, thousands' commas, signs of currency before
    and after, percent, and units, which must be words and are not looked at.  A letter right after a number (``5x``)
    is mathematics and no unit.
    """
    if len(text) > LONGEST or not (match := NUMBER.fullmatch(_clean(text))):
        return None
    amount = Fraction(match["amount"].replace(",", ""))
    under = Fraction((match["under"] or "1").replace(",", ""))
    if not under or (match["whole"] and not (match["under"] and amount < under)):
        return None
    face = int(match["whole"] or 0) + amount / under
    return Number(
        -face if "-" in (match["sign"], match["inner"]) else face, SCALES.get(match["scale"], Fraction(1))
    )


def grade(answer: str | None, reference: str) -> Verdict:
    """Whether an answer is the reference, in numbers or in mathematics.

    Two texts that are the same are right.  Numbers are compared exactly: .333 is not 1/3.  An answer is unparseable if
    there is none, if it is longer than :data:`LONGEST` characters, prose with or without numbers in it, no
    mathematics, or not finite (1/0).  LaTeX takes milliseconds, and can take for ever: grade what a model has written
    with :class:`pvg.language.grader.Grader`.

    Raises:
        UserError: math-verify is needed and not installed.
    """
    verdict = grade_fast(answer, reference)
    if verdict is not None:
        return verdict
    check_installed()
    assert answer is not None
    return grade_slow(answer, reference)


def grade_fast(answer: str | None, reference: str) -> Verdict | None:
    """The verdict where it takes no mathematics but numbers."""
    if answer is None or len(answer) > LONGEST:
        return "unparseable"
    text, truth = _clean(answer), _clean(reference)
    if not text:
        return "unparseable"
    if text.casefold() == truth.casefold():
        return "right"
    mine, true = number(answer), number(reference)
    if mine and true:
        return "right" if mine.equals(true) else "wrong"
    if not mine and _is_prose(text):
        return "unparseable"
    if mine and _is_prose(truth):
        return "wrong"
    return None


def grade_slow(answer: str, reference: str) -> Verdict:
    """The verdict of math-verify, with its own limits of time off: they work in a main thread only."""
    from math_verify import verify

    logging.getLogger("math_verify").setLevel(logging.ERROR)  # it warns of those limits
    try:
        mine, true = _expression(answer), _expression(reference)
        if mine is None:
            return "unparseable"
        same = true is not None and verify(true, mine, timeout_seconds=None, raise_on_error=True)
    except Exception:
        return "unparseable"
    return "right" if same else "wrong"


def _expression(text: str) -> Any:
    """What all of a text means to sympy; None where it isn't mathematics, or not finite."""
    import sympy
    from math_verify import LatexExtractionConfig, parse

    if exact := number(text):
        value = exact.face * exact.scale
        return sympy.Rational(value.numerator, value.denominator)
    latex = UNIT.sub("", _clean(text)).replace("$", "").replace("**", "^")
    latex = re.sub(r"\^(-?[0-9]{2,})", r"^{\1}", latex)  # LaTeX takes one digit; who wrote 10^10 meant both
    latex = re.sub(r"(?<=[0-9])\s*x\s*(?=[0-9])", "*", latex)
    parsed = parse(
        f"${latex}$",
        [LatexExtractionConfig()],
        fallback_mode="no_fallback",
        extraction_mode="first_match",
        parsing_timeout=None,
        raise_on_error=True,
    )
    if not parsed or parsed[0].doit().has(sympy.nan, sympy.zoo):
        return None
    # Decimals are as exact here as they are in `number`; sympy's are binary, so that .1 + .2 is not .3.
    return parsed[0].xreplace({x: sympy.Rational(str(x)) for x in parsed[0].atoms(sympy.Float)})


def _clean(text: str) -> str:
    """A text without what changes nothing about its meaning: invisible characters, spellings, emphasis, a full stop."""
    text = "".join(c for c in text if unicodedata.category(c) != "Cf").translate(SPELLINGS)
    text = text.replace(r"\$", "$").replace(r"\%", "%").replace("{,}", ",")
    before = None
    while text != before:
        before = text
        text = text.strip(" *_`\r\n").rstrip(",;")
        if text.endswith(".") and not text.endswith(".."):
            text = text[:-1]
        for left, right in WRAPPERS:
            inner = text[len(left) : -len(right)]
            if text == left + inner + right and _is_one(inner, right):
                text = inner
    return text


def _is_one(inner: str, right: str) -> bool:
    """Whether what begins before a text ends after it, and not in it, as in ``$1$ or $2$``."""
    if right != "}":
        return right not in inner
    depth = [0, *accumulate((c == "{") - (c == "}") for c in inner)]
    return min(depth) == depth[-1] == 0


def _is_prose(text: str) -> bool:
    return bool(PROSE.search(COMMAND.sub(r"\\", UNIT.sub("", text))))


def check_installed() -> None:
    if importlib.util.find_spec("math_verify") is None:
        raise UserError(
            'Answers are graded by math-verify, which is not installed: pip install "math-verify>=0.9,<0.10".'
        )
