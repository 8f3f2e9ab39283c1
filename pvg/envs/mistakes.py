"""Right solutions of word problems made wrong, as a sneaky prover would."""

from __future__ import annotations

import ast
import operator
import random
import re
from collections.abc import Callable, Mapping
from fractions import Fraction

from pvg.envs.problems import Problem

NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]*\.[0-9]+|[0-9]+")
EQUATION = re.compile(rf"(?P<left>[$(]*\.?[0-9][-+*/x×÷−().,$%0-9 ]*)=\s*\$?(?P<result>{NUMBER.pattern})")
SIGNS = str.maketrans({"x": "*", "×": "*", "÷": "/", "−": "-", "$": None})
OPERATIONS: dict[type, Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
# Made to a result: whole units, or units of its last digit behind the point.
CHANGES = (-10, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 10)


def corrupt(problem: Problem, rng: random.Random) -> str | None:
    """A wrong solution made from the right one: one number of the working is changed, and what follows from it.

    The number is the result of an equation (``16 - 3 - 4 = 9``), or, where none will do, the answer's last mention.
    Later numbers that repeat it are changed too, and later equations that use it are worked out again, so that the
    working has one mistake and its final answer is the one that follows.  The style of numbers is kept: whole ones
    stay whole, none falls below zero.

    Returns:
        The solution, whose final answer is a number other than the right one; None where no change of one result does
        that, or the answer is not one number, the solution's last.
    """
    numbers = list(NUMBER.finditer(problem.solution))
    answer = [_value(number) for number in NUMBER.findall(problem.answer)]
    if not numbers or answer != [_value(numbers[-1][0])]:
        return None
    equations = {match.start("result"): match["left"] for match in EQUATION.finditer(problem.solution)}
    places = [place for place, number in enumerate(numbers[:-1]) if number.start() in equations]
    rng.shuffle(places)
    places += [i for i, number in enumerate(numbers[:-1]) if _value(number[0]) == answer[0]][-1:]
    for place in places:
        for change in rng.sample(CHANGES, len(CHANGES)):
            wrong = _carry(problem.solution, numbers, equations, place, change)
            if wrong is not None:
                return wrong
    return None


def _carry(
    text: str, numbers: list[re.Match[str]], equations: Mapping[int, str], place: int, change: int
) -> str | None:
    """The text with one of :data:`CHANGES` made to one number, and all that follows from it.

    None where something doesn't stay the kind of number that it was, or where the last number stays what it was.
    """
    changed: dict[Fraction, Fraction] = {}
    pieces, end, now = [], 0, Fraction(0)
    for index, match in enumerate(numbers):
        old = _value(match[0])
        now = changed.get(old, old)
        if index == place:
            now = old + change * (1 if old.denominator == 1 else Fraction(1, 10 ** _decimals(match[0])))
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


def _decimals(number: str) -> int:
    return len(number.partition(".")[2])


def _like(value: Fraction | None, model: str) -> str | None:
    """A number written as another one is: with its decimals and commas; None where it can't be."""
    if value is None or value < 0:
        return None
    decimals = _decimals(model)
    scaled = value * 10**decimals
    if scaled.denominator != 1:
        return None
    if _value(model) == value:
        return model
    whole, rest = divmod(scaled.numerator, 10**decimals)
    return f"{whole:,}" if "," in model else f"{whole}" + (f".{rest:0{decimals}}" if decimals else "")
