"""Where word problems come from."""

from __future__ import annotations

from pathlib import Path

from pvg.envs.arithmetic import LARGEST, synthetic
from pvg.envs.problems import SPLITS, Problem, gsm8k, jsonl
from pvg.errors import UserError


def problems(
    data: str = "synthetic",
    path: str | None = None,
    count: int | None = 6000,
    longest: int | None = None,
    seed: int = 0,
    steps: int = 2,
    first: int = LARGEST - 1,
) -> list[Problem]:
    """Word problems with worked solutions and answers.

    Args:
        data: ``synthetic`` (sums, made on the spot), ``gsm8k`` (Cobbe et al. 2021), or ``jsonl`` (a file
            of GSM8K's layout).
        path: the file, or GSM8K's folder; without one GSM8K comes from the hub.
        count: how many at most; None for all that a file has.
        longest: characters that a question may have; longer ones are left out.  None for any.
        seed, steps, first: of what is made, see :func:`~pvg.envs.arithmetic.synthetic`.

    Raises:
        UserError: a file that isn't there or has a broken line, or no problem that is left.
    """
    if data == "synthetic":
        found = synthetic(count or 6000, seed, steps, first)
    elif data == "gsm8k":
        splits = ("train",) if path and Path(path).is_file() else SPLITS
        found = [p for split in splits for p in gsm8k(path, split)]
    elif data == "jsonl":
        if path is None:
            raise UserError("env.data=jsonl: name the file, env.path=FILE.jsonl")
        found = jsonl(Path(path))
    else:
        raise UserError(f"env.data={data}: write synthetic, gsm8k, or jsonl with env.path=FILE.")
    found = [p for p in found if longest is None or len(p.question) <= longest][:count]
    if not found:
        raise UserError(f"env: no problem is left (data={data}, count={count}, longest={longest}).")
    return found
