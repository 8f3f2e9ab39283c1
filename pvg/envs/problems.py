"""Word problems: where they come from, and how they are shared out."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pvg.errors import UserError

SPLITS = ("train", "test")
SHARES = {"prover": 0.4, "verifier": 0.35, "calibration": 0.1, "test": 0.15}
MARK = "####"
ANNOTATION = re.compile(r"<<[^<>]*>>")
LAYOUT = '{"question": "...", "answer": "working\\n#### final answer"}'


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
            f"The problems can't be read from {path} ({error.strerror}). Give a file of lines {LAYOUT}, "
            "or for GSM8K the folder that holds train.jsonl and test.jsonl."
        ) from error
    problems = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            problems.append(_problem(_row(line, f"{path}:{number}"), f"{path}:{number}", annotations))
    if not problems:
        raise UserError(f"{path} holds no problems: it is empty. It should have a line {LAYOUT} for each.")
    return problems


def part(text: str, seed: int = 0, shares: Mapping[str, float] = SHARES) -> str:
    """The name of the share that a text falls into, always the same one.

    It depends on the text but for case and spaces, on ``seed`` and on the shares, and neither on order, file, machine
    nor on what other texts there are; so the same text never falls into two shares.  Give a problem's solution: two
    problems that differ in names alone have the same one, and must not be learned from here and judged by there.

    Args:
        shares: how much of everything each name gets, in any unit.

    Raises:
        UserError: shares that are negative or add up to nothing.
    """
    total = sum(shares.values())
    if not total > 0 or min(shares.values()) < 0:
        raise UserError(f"Shares of problems are positive numbers, or 0 for none: {dict(shares)}.")
    normalised = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    digest = hashlib.sha256(f"{seed}\n{normalised}".encode("utf-8", "surrogatepass")).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64 * total
    names = [name for name, share in shares.items() if share > 0]
    for name in names:
        place -= shares[name]
        if place < 0:
            return name
    return names[-1]  # the shares' sum was rounded


def _row(line: bytes, where: str) -> Any:
    try:
        return json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise UserError(
            f"{where}: not UTF-8 (byte {error.start + 1}). Each line should be {LAYOUT}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: not JSON ({error}). Each line should be {LAYOUT}.") from error


def _problem(row: Any, where: str, annotations: bool) -> Problem:
    """One row in GSM8K's layout as a problem; ``where`` names it in complaints."""
    row = row if isinstance(row, dict) else {}
    wrong = next(
        (f"`{k}` is no text, or empty" for k in ("question", "answer") if not _is_text(row.get(k))), None
    )
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


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


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
