"""The figures that rounds of a game leave: of each measurement, each gathering, and the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from pvg.language.engine import Counts

FOOLED = 0.5  # an attack has succeeded when so many wrong solutions of the sneaky are accepted

SHOWN = {  # of a measurement, by key, as tables head it
    "helpful/accuracy": "helpful right",
    "sneaky/wrong": "sneaky wrong",
    "unparseable": "unparseable",
    "accepts/helpful/right": "accepts helpful right",
    "fooled": "fooled",
    "auc": "AUC",
}
AFTER = {  # what a measurement followed
    "start": "supervised start",
    "solver": "solver's training",
    "checked": "verifier's training",
    "attacked": "provers' training",
}
GATHERED = {  # of a role's attempts, by key, as tables head it
    "tasks": "tasks",
    "attempts": "attempts",
    "success_at_1": "success at 1",
    "success_at_k": "success at k",
    "give_ups": "give-ups",
    "unparseable": "unparseable",
}
LATE = 10  # iterations at the end of an attack over which rewards are averaged


def engine_report(counts: Counts, canaries: Sequence[float] = ()) -> dict[str, Any]:
    """An engine's figures: tokens a second, occupancy, waits (seconds), restarts, fallbacks, syncs and canaries.

    Args:
        canaries: nats by which it was off, each time that it was compared with the trainer's model.
    """
    waits = torch.tensor(counts.waits or [0.0], dtype=torch.float64)
    return {
        "tokens": counts.tokens,
        "tokens_per_s": round(counts.tokens / counts.seconds, 1) if counts.seconds else None,
        "occupancy": round(counts.busy / counts.slots, 4) if counts.slots else None,
        "wait_p50": round(float(waits.quantile(0.5)), 4),
        "wait_p95": round(float(waits.quantile(0.95)), 4),
        "syncs": counts.syncs,
        "canaries": len(canaries),
        "canary_worst": max(canaries, default=None),
        "restarts": counts.restarts,
        "fallbacks": list(counts.fallbacks),
    }


def rounds_table(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row a measurement on held-out problems: after the start, each verifier, each attack.

    A row of an attack also has ``steps_to_exploit``, see :func:`steps_to_exploit`, ``kl`` in its last iteration, and
    ``ROLE/reward``, the mean of its last ten, with ``ROLE/reward/least`` and ``ROLE/reward/most``.
    """
    out = []
    for record in records:
        if record["what"] not in AFTER:
            continue
        row = dict(record)
        if record["what"] == "attacked":
            steps = [r for r in records if r["what"] == "attack" and r["round"] == record["round"]]
            row["steps_to_exploit"] = steps_to_exploit(steps)
            row["kl"] = steps[-1]["kl"] if steps else None
            for name in [k for k in steps[-1] if k.endswith("/reward")] if steps else []:
                late = [step[name] for step in steps[-LATE:]]
                row |= {name: sum(late) / len(late), f"{name}/least": min(late), f"{name}/most": max(late)}
        out.append(row)
    return out


def gatherings(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What each round's gathering was: ``round``, and by role what :func:`pvg.language.attempts.summary` gives."""
    return [{"round": r["round"], "roles": r["roles"]} for r in records if r["what"] == "gathered"]


def steps_to_exploit(steps: Sequence[Mapping[str, Any]], window: int = 3) -> int | None:
    """Iterations of an attack until, in the mean of ``window`` of them, the verifier is fooled more often than not."""
    fooled = [step["fooled"] or 0.0 for step in steps]
    for end in range(window, len(fooled) + 1):
        if sum(fooled[end - window : end]) / window >= FOOLED:
            return end
    return None
