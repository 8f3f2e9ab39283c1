"""Word problems: where they come from, how they are shared out, and how a right solution is made wrong."""

from __future__ import annotations

import ast
import hashlib
import json
import operator
import random
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from pvg.errors import UserError

SPLITS = ("train", "test")
SHARES = {"prover": 0.4, "verifier": 0.4, "test": 0.2}
MARK = "####"
ANNOTATION = re.compile(r"<<[^<>]*>>")
LAYOUT = 'a line a problem, {"question": "...", "answer": "working\\n#### final answer"}'


NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]*\.[0-9]+|[0-9]+")
EQUATION = re.compile(rf"(?P<left>[$(]*[0-9.][-+*/x×÷−().,$%0-9 ]*)=\s*\$?(?P<result>{NUMBER.pattern})")
SIGNS = str.maketrans({"x": "*", "×": "*", "÷": "/", "−": "-", "$": None})
OPERATIONS: dict[type, Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
CHANGES = (-10, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 10)  # units of a result's last digit


@dataclass(frozen=True)
class Problem:
    """A question with a right solution.

    Attributes:
        question: as it is put.
        solution: working, the final answer last.
        answer: the final answer alone.
    """

    question: str
    solution: str
    answer: str


def gsm8k(path: str | Path | None = None, split: str = "train", annotations: bool = False) -> list[Problem]:
    """Grade-school word problems (Cobbe et al. 2021, "Training Verifiers to Solve Math Word Problems").

    Args:
        path: a folder with ``train.jsonl`` and ``test.jsonl`` as published, or a file of that layout, which is taken
            as it is whatever the split.  None fetches the problems from the hub.
        split: ``train`` (7,473 problems) or ``test`` (1,319).
        annotations: whether to keep what the working says to a calculator, ``<<48/2=24>>``.

    Raises:
        UserError: an unknown split, no such file, a broken line, or a hub that can't be reached.
    """
    if split not in SPLITS:
        raise UserError(f"GSM8K has no split {split!r}; it has {' and '.join(SPLITS)}.")
    if path is None:
        where = f"openai/gsm8k, {split}"
        return [_problem(row, f"{where}, row {n}", annotations) for n, row in enumerate(_fetch(split))]
    path = Path(path)
    return jsonl(path / f"{split}.jsonl" if path.is_dir() else path, annotations)


def jsonl(path: str | Path, annotations: bool = False) -> list[Problem]:
    """The problems of a file in GSM8K's layout, one JSON object a line with ``question`` and ``answer``.

    The final answer stands after ``####`` at the end of ``answer``.  Empty lines are passed over.

    Raises:
        UserError: no such file, no problem in it, or a broken line, which is named.
    """
    path = Path(path)
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise UserError(
            f"The problems can't be read from {path} ({error.strerror}). Give a file with {LAYOUT}, or for GSM8K the "
            "folder that holds train.jsonl and test.jsonl."
        ) from error
    problems = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            problems.append(_problem(_row(line, f"{path}:{number}"), f"{path}:{number}", annotations))
    if not problems:
        raise UserError(f"{path} holds no problems: it is empty. It should have {LAYOUT}.")
    return problems


def part(question: str, seed: int = 0, shares: Mapping[str, float] = SHARES) -> str:
    """The name of the share that a question falls into, always the same one.

    It depends on the question's text but for case and spaces, on ``seed`` and on the shares, and neither on order,
    file, machine nor on what other problems there are; so the same question never falls into two shares.

    Args:
        shares: how much of everything each name gets, in any unit.

    Raises:
        UserError: shares that are negative or add up to nothing.
    """
    total = sum(shares.values())
    if not total > 0 or min(shares.values()) < 0:
        raise UserError(f"Shares of problems are positive numbers, or 0 for none: {dict(shares)}.")
    normalised = " ".join(unicodedata.normalize("NFKC", question).casefold().split())
    digest = hashlib.sha256(f"{seed}\n{normalised}".encode("utf-8", "surrogatepass")).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64 * total
    names = [name for name, share in shares.items() if share > 0]
    for name in names:
        place -= shares[name]
        if place < 0:
            return name
    return names[-1]  # the shares' sum was rounded


def split(
    problems: Iterable[Problem], shares: Mapping[str, float] = SHARES, seed: int = 0
) -> dict[str, list[Problem]]:
    """Problems by :func:`part`, in their order.

    Raises:
        UserError: as :func:`part`, and when a share that is not 0 gets none.
    """
    parts: dict[str, list[Problem]] = {name: [] for name in shares}
    count = 0
    for problem in problems:
        parts[part(problem.question, seed, shares)].append(problem)
        count += 1
    empty = [name for name, share in shares.items() if share > 0 and not parts[name]]
    if empty:
        raise UserError(
            f"Of {count} problems none falls into the share {empty[0]}, of {dict(shares)}. Give more problems, a "
            "greater share, or another seed."
        )
    return parts


def corrupt(problem: Problem, rng: random.Random) -> str | None:
    """A wrong solution made from the right one: one number of the working is changed, and what follows from it.

    The number is the result of an equation (``16 - 3 - 4 = 9``).  Later numbers that repeat it are changed too, and
    later equations that use it are worked out again, so that the working has one mistake and its final answer is the
    one that follows.  The style of numbers is kept: whole ones stay whole, none falls below zero.

    Returns:
        The solution, whose final answer is a number other than the right one; None where no change of one result does
        that, or the solution's last number is not the problem's answer.
    """
    numbers = list(NUMBER.finditer(problem.solution))
    if not numbers or not NUMBER.fullmatch(bare := problem.answer.strip().lstrip("-$")):
        return None
    if _value(numbers[-1][0]) != _value(bare):
        return None
    equations = {match.start("result"): match["left"] for match in EQUATION.finditer(problem.solution)}
    places = [place for place, number in enumerate(numbers[:-1]) if number.start() in equations]
    rng.shuffle(places)
    for place in places:
        for change in rng.sample(CHANGES, len(CHANGES)):
            wrong = _carry(problem.solution, numbers, equations, place, change)
            if wrong is not None:
                return wrong
    return None


def _carry(
    text: str, numbers: list[re.Match[str]], equations: Mapping[int, str], place: int, change: int
) -> str | None:
    """The text with ``change`` units of its last digit added to one number, and all that follows from it.

    None where something doesn't stay the kind of number that it was, or where the last number stays what it was.
    """
    changed: dict[Fraction, Fraction] = {}
    pieces, end, now = [], 0, Fraction(0)
    for index, match in enumerate(numbers):
        old = _value(match[0])
        now = changed.get(old, old)
        if index == place:
            now = old + change * Fraction(1, 10 ** len(match[0].partition(".")[2]))
        elif index > place and (left := equations.get(match.start())) and _calculate(left, {}) == old:
            now = _calculate(left, changed)  # type: ignore[assignment]
        if now != old:
            changed[old] = now
        written = _like(now, match[0])
        if written is None:
            return None
        pieces += [text[end : match.start()], written]
        end = match.end()
    if now == _value(numbers[-1][0]):
        return None
    return "".join(pieces) + text[end:]


def _calculate(expression: str, changed: Mapping[Fraction, Fraction]) -> Fraction | None:
    """What an expression of numbers comes to, with some values replaced by others; None for what is no expression."""
    values: list[Fraction] = []

    def name(match: re.Match[str]) -> str:
        value = _value(match[0])
        values.append(changed.get(value, value))
        return f" n{len(values) - 1} "

    def work(node: ast.AST) -> Fraction:
        if isinstance(node, ast.BinOp):
            return OPERATIONS[type(node.op)](work(node.left), work(node.right))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -work(node.operand)
        if isinstance(node, ast.Name):
            return values[int(node.id[1:])]
        raise SyntaxError

    spelled = NUMBER.sub(name, expression).translate(SIGNS).replace("%", "/100")
    try:
        return work(ast.parse(spelled.strip(), mode="eval").body)
    except (SyntaxError, ZeroDivisionError, KeyError):
        return None


def _value(number: str) -> Fraction:
    return Fraction(number.replace(",", ""))


def _like(value: Fraction | None, model: str) -> str | None:
    """A number written as another one is: with its decimals and commas; None where it can't be."""
    if value is None or value < 0:
        return None
    decimals = len(model.partition(".")[2])
    scaled = value * 10**decimals
    if scaled.denominator != 1:
        return None
    if _value(model) == value:
        return model
    whole, rest = divmod(scaled.numerator, 10**decimals)
    return f"{whole:,}" if "," in model else f"{whole}" + (f".{rest:0{decimals}}" if decimals else "")


def _row(line: bytes, where: str) -> Any:
    try:
        return json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise UserError(
            f"{where}: not UTF-8 (byte {error.start + 1}). Each line should be {LAYOUT}."
        ) from error
    except ValueError as error:
        raise UserError(f"{where}: not JSON ({error}). Each line should be {LAYOUT}.") from error


def _problem(row: Any, where: str, annotations: bool) -> Problem:
    """One row in GSM8K's layout as a problem; ``where`` names it in complaints."""
    wrong = None
    if not isinstance(row, dict):
        wrong = f"a JSON object is wanted, not {type(row).__name__}"
    else:
        for key in ("question", "answer"):
            if not isinstance(row.get(key), str) or not row[key].strip():
                wrong = wrong or (f"`{key}` is no text" if row.get(key) else f"`{key}` is missing or empty")
    if wrong is None:
        working, mark, answer = row["answer"].rpartition(MARK)
        if not mark:
            wrong = f"`answer` has no {MARK} before a final answer"
        elif not answer.strip() or "\n" in answer.strip():
            wrong = f"one line with the final answer should follow {MARK} in `answer`"
    if wrong:
        raise UserError(f"{where}: {wrong}. Each line should be {LAYOUT}.")
    if not annotations:
        working = ANNOTATION.sub("", working)
    return Problem(row["question"].strip(), f"{working}{MARK}{answer}".strip(), answer.strip())


def _fetch(split: str) -> Iterator[Any]:
    """GSM8K's rows from the hub."""
    by_hand = (
        "Or download train.jsonl and test.jsonl by hand, from github.com/openai/grade-school-math, and name their "
        "folder."
    )
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise UserError(
            f"GSM8K comes from the hub through the package datasets: pip install datasets. {by_hand}"
        ) from error
    try:
        return iter(load_dataset("openai/gsm8k", "main", split=split))
    except Exception as error:  # of half a dozen libraries below
        reason = str(error).strip().split("\n")[0]
        raise UserError(
            f"GSM8K can't be fetched from the hub ({type(error).__name__}: {reason}). Go online, without "
            f"HF_HUB_OFFLINE. {by_hand}"
        ) from error
