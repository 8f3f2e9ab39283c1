"""Attempts as tensors: what verifiers learn from and what is measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor

from pvg.language.attempts import Attempt

VERDICTS = ("wrong", "right", "unparseable")
ROLES = ("sneaky", "helpful", "translator")


def pool(attempts: Sequence[Attempt], most: int) -> TensorDict:
    """Attempts as one batch ``[n]``.

    Returns:
        ``answer`` int64 and ``log_probs`` float ``[n, most]``, ``said`` bool ``[n, most]`` (which tokens exist),
        ``problem``, ``task``, ``role`` and ``verdict`` int64 ``[n]`` (places in ``ROLES`` and ``VERDICTS``).
    """
    n = len(attempts)
    answer, said = torch.zeros(n, most, dtype=torch.long), torch.zeros(n, most, dtype=torch.bool)
    log_probs = torch.zeros(n, most)
    for i, attempt in enumerate(attempts):
        count = len(attempt.tokens)
        answer[i, :count] = torch.tensor(attempt.tokens)
        log_probs[i, :count] = torch.tensor(attempt.log_probs)
        said[i, :count] = True
    table = [(a.problem, a.task, ROLES.index(a.role), VERDICTS.index(a.verdict)) for a in attempts]
    problem, task, role, verdict = torch.tensor(table, dtype=torch.long).view(n, 4).unbind(1)
    found = {"answer": answer, "said": said, "log_probs": log_probs}
    found |= {"problem": problem, "task": task, "role": role, "verdict": verdict}
    return TensorDict(found, [n])


def asked(rows: TensorDictBase, prompt: Callable[[int, int], Sequence[int]]) -> TensorDict:
    """The rows with the prompts before their answers.

    Args:
        prompt: token ids, by problem and row.

    Returns:
        ``tokens`` int64 and ``there`` bool ``[n, t]``, ``start`` int64 ``[n]``, beside what the rows have: a batch as
        :func:`pvg.agents.language.texts` makes it.
    """
    prompts = [torch.tensor(prompt(p, i)) for i, p in enumerate(rows["problem"].tolist())]
    start, count = torch.tensor([len(p) for p in prompts]), rows["said"].sum(-1)
    width = int((start + count).max()) if len(prompts) else 0
    place = torch.arange(width)
    tokens = torch.nn.utils.rnn.pad_sequence(
        [*prompts, torch.zeros(width, dtype=torch.long)], batch_first=True
    )
    tokens = tokens[: len(prompts), :width]
    into = (place - start.unsqueeze(-1)).clamp(0, rows["answer"].shape[1] - 1)
    tokens = torch.where(place < start.unsqueeze(-1), tokens, rows["answer"].gather(1, into))
    there = place < (start + count).unsqueeze(-1)
    made = {"tokens": tokens * there, "there": there, "start": start}
    return TensorDict({**dict(rows.items()), **made}, [len(prompts)])


def pairs(pools: Sequence[TensorDictBase], balanced: bool = True) -> tuple[Tensor, Tensor]:
    """Right and wrong solutions of the same problem, as places in the pools put one after the other.

    Returns:
        ``[p, 2]`` (right, wrong), and weights ``[p]`` with which to draw them.  Every pool weighs the same, and so do
        its pairs; or if ``balanced`` each role is right as often as wrong, so that its style tells nothing: pairs of
        one role are so by themselves, and those of a role's right with another's wrong weigh as much as those the
        other way round.  (Where a pool has nothing but the one way, all its pairs weigh the same all the same.)
    """
    found, weights, offset = [], [], 0
    for rows in pools:
        right, wrong = (torch.nonzero(rows["verdict"] == v).flatten() for v in (1, 0))
        same = rows["problem"][right].unsqueeze(-1) == rows["problem"][wrong]
        i, j = torch.nonzero(same).unbind(1)
        both = torch.stack([right[i], wrong[j]], 1)
        a, b = rows["role"][both].unbind(1)
        count = torch.zeros(len(ROLES), len(ROLES)).index_put_((a, b), torch.ones(len(a)), accumulate=True)
        each = (torch.minimum(count, count.T) / count.clamp(min=1))[a, b]
        each = each if balanced and each.any() else torch.ones_like(each)
        weights.append(each / each.sum().clamp(min=1e-9))
        found.append(both + offset)
        offset += len(rows)
    return torch.cat(found), torch.cat(weights)
