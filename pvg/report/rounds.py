"""What rounds of a game leave for people: a table of the rounds, and figures of the engine."""

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


def engine_report(counts: Counts) -> dict[str, Any]:
    """An engine's figures: tokens a second, occupancy, waits (seconds), restarts, fallbacks, syncs."""
    waits = torch.tensor(counts.waits or [0.0], dtype=torch.float64)
    return {
        "tokens": counts.tokens,
        "tokens_per_s": round(counts.tokens / counts.seconds, 1) if counts.seconds else None,
        "occupancy": round(counts.busy / counts.slots, 4) if counts.slots else None,
        "wait_p50": round(float(waits.quantile(0.5)), 4),
        "wait_p95": round(float(waits.quantile(0.95)), 4),
        "syncs": counts.syncs,
        "restarts": counts.restarts,
        "fallbacks": list(counts.fallbacks),
    }


def rounds_table(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row a measurement on held-out problems: after the start, each verifier, each attack (with its steps to
    exploit: RL iterations until most wrong solutions of the sneaky were accepted, None if they never were)."""
    out = []
    for record in records:
        if record["what"] in ("attack", "solve"):  # an iteration's own answers
            continue
        row = dict(record)
        if record["what"] == "attacked":
            steps = [r for r in records if r["what"] == "attack" and r["round"] == record["round"]]
            row["steps_to_exploit"] = steps_to_exploit(steps)
            row["kl"] = steps[-1]["kl"] if steps else None
        out.append(row)
    return out


def steps_to_exploit(steps: Sequence[Mapping[str, Any]], window: int = 3) -> int | None:
    """Iterations of an attack until, in the mean of ``window`` of them, the verifier is fooled more often than not."""
    fooled = [step["fooled"] or 0.0 for step in steps]
    for end in range(window, len(fooled) + 1):
        if sum(fooled[end - window : end]) / window >= FOOLED:
            return end
    return None


def rounds_markdown(trainer: Any) -> str:
    """The report of a run in Markdown: the table of its rounds."""
    names = {**SHOWN, "steps_to_exploit": "steps to exploit", "kl": "KL"}
    rows = rounds_table(trainer.records)
    lines = ["| round | after | " + " | ".join(names.values()) + " |", "|" + "---|" * (len(names) + 2)]
    for row in rows:
        cells = [_cell(row.get(k), k) for k in names]
        lines.append(f"| {row['round']} | {AFTER[row['what']]} | " + " | ".join(cells) + " |")
    return "# Rounds\n\n" + "\n".join(lines) + "\n"


AFTER = {
    "start": "supervised start",
    "solver": "solver's training",
    "checked": "verifier's training",
    "attacked": "provers' training",
}


def _cell(value: Any, name: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, int):
        return str(value)
    return f"{value:.3f}" if name in ("auc", "kl") else f"{100 * value:.1f} %"
