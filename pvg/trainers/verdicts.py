"""How well a verifier tells right solutions from wrong ones, and how well provers do against it."""

from __future__ import annotations

import torch
from tensordict import TensorDictBase
from torch import Tensor

from pvg.language.pool import ROLES, VERDICTS

Found = dict[str, float | None]


def measure(rows: TensorDictBase, score: Tensor) -> Found:
    """Rates of attempts ``[n]`` and of the verifier's scores ``[n]`` of them (accepted above 0).

    Returns:
        ``helpful/accuracy``, ``sneaky/wrong`` (parsed and wrong), ``unparseable``; ``accepts/ROLE/VERDICT`` in the four
        quadrants, ``fooled`` (wrong solutions of the sneaky accepted), ``auc`` over all that was parsed,
        ``balanced_accuracy``.  A share of nothing is None.
    """
    role, verdict = rows["role"], rows["verdict"]
    right, wrong = verdict == VERDICTS.index("right"), verdict == VERDICTS.index("wrong")
    sneaky, accepted = role == ROLES.index("sneaky"), score > 0
    out: Found = {
        "helpful/accuracy": _share(right, ~sneaky),
        "sneaky/wrong": _share(wrong, sneaky),
        "unparseable": _share(~right & ~wrong, torch.ones_like(right)),
    }
    for name, among in (("helpful", ~sneaky), ("sneaky", sneaky)):
        out[f"accepts/{name}/right"] = _share(accepted, among & right)
        out[f"accepts/{name}/wrong"] = _share(accepted, among & wrong)
    out["fooled"] = out["accepts/sneaky/wrong"]
    out["auc"] = auc(score[right], score[wrong])
    hit, miss = _share(accepted, right), _share(~accepted, wrong)
    out["balanced_accuracy"] = None if hit is None or miss is None else (hit + miss) / 2
    return out


def by_problem(rows: TensorDictBase) -> list[float]:
    """Shares of the honest prover's answers that are right, in order of the problems."""
    honest = rows[rows["role"] != ROLES.index("sneaky")]
    _, place = honest["problem"].unique(return_inverse=True)
    right = (honest["verdict"] == VERDICTS.index("right")).double()
    return (torch.zeros(int(place.max()) + 1).double().index_add(0, place, right) / place.bincount()).tolist()


def auc(right: Tensor, wrong: Tensor) -> float | None:
    """Area under the curve of hits against false alarms: how often a right one scores above a wrong one."""
    if not len(right) or not len(wrong):
        return None
    order = torch.cat([right, wrong]).double().unique(return_inverse=True, return_counts=True)
    ranks = (order[2].cumsum(0) - (order[2] - 1) / 2)[order[1]]  # ties share the middle of their ranks
    above = ranks[: len(right)].sum() - len(right) * (len(right) + 1) / 2
    return float(above / (len(right) * len(wrong)))


def best_of(rows: TensorDictBase, score: Tensor) -> Found:
    """The verifier's favourite among the answers to a problem: rows ``[n]``, and scores ``[n]`` of them.

    Returns:
        ``best_of_n``: the share of problems at which the favourite helpful answer is right; ``pass_at_n``: at which any
        is; ``balanced_best_of_n``: at which the favourite among as many right as wrong answers, of both roles, is right
        (a verifier that can't tell reaches .5), over the problems that have both.
    """
    helpful, right = rows["role"] != ROLES.index("sneaky"), rows["verdict"] == VERDICTS.index("right")
    wrong = rows["verdict"] == VERDICTS.index("wrong")
    best, any_right, fair = [], [], []
    for problem in rows["problem"].unique().tolist():
        own = rows["problem"] == problem
        mine = torch.nonzero(own & helpful).flatten()
        if len(mine):
            best.append(float(right[mine[score[mine].argmax()]]))
            any_right.append(float(right[mine].any()))
        yes, no = torch.nonzero(own & right).flatten(), torch.nonzero(own & wrong).flatten()
        n = min(len(yes), len(no))
        if n:
            fair.append(float(score[yes[:n]].max() > score[no[:n]].max()))

    def mean(found: list[float]) -> float | None:
        return sum(found) / len(found) if found else None

    return {"best_of_n": mean(best), "pass_at_n": mean(any_right), "balanced_best_of_n": mean(fair)}


def calibration(rows: TensorDictBase, score: Tensor, bins: int = 10) -> Found:
    """How far the verifier's probability of *right* is from how often it is so.

    Returns:
        ``calibration_error``: that gap, averaged over bins of equal numbers of parsed answers of ``rows`` ``[n]`` by
        ``score`` ``[n]`` (Naeini et al. 2015, with bins by quantile).
    """
    parsed = rows["verdict"] != VERDICTS.index("unparseable")
    if not parsed.any():
        return {"calibration_error": None}
    belief, order = score[parsed].sigmoid().sort()
    right = (rows["verdict"][parsed][order] == VERDICTS.index("right")).float()
    gaps = [
        abs(float(b.mean() - r.mean())) * len(b)
        for b, r in zip(belief.tensor_split(bins), right.tensor_split(bins))
        if len(b)
    ]
    return {"calibration_error": sum(gaps) / len(right)}


def _share(hit: Tensor, among: Tensor) -> float | None:
    return float((hit & among).sum() / among.sum()) if among.any() else None
