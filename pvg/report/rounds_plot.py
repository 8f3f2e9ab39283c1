"""Rounds as one PNG: how verifier and provers take turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pvg.report.rounds import FOOLED, SHOWN

LINES = {
    "helpful/accuracy": "#1b4965",
    "accepts/helpful/right": "#5fa8d3",
    "sneaky/wrong": "#8a8a8a",
    "fooled": "#ca6702",
    "auc": "#2a7f4f",
}
WIDTH = 5  # iterations in a running mean


def draw_rounds(folder: Path, records: Sequence[Mapping[str, Any]]) -> Path:
    """Draw ``rounds.png``: all measurements on held-out problems; below, the share fooled in each iteration of attacks.

    Args:
        records: of :class:`pvg.trainers.rounds.Rounds`.

    Returns:
        the picture's path.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (above, below) = plt.subplots(2, 1, figsize=(9, 7), layout="constrained")
    _measurements(above, [r for r in records if r["what"] in ("start", "checked", "attacked")])
    _attacks(below, records)
    for axis in (above, below):
        axis.set_ylim(-0.03, 1.03)
        axis.spines[["top", "right"]].set_visible(False)
    path = folder / "rounds.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _measurements(axis: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    for name, colour in LINES.items():
        axis.plot([_value(row.get(name)) for row in rows], color=colour, marker="o", ms=3, label=SHOWN[name])
    names = ["start" if row["what"] == "start" else f"{row['what']} {row['round']}" for row in rows]
    axis.set_xticks(range(len(rows)), names, rotation=30, ha="right")
    axis.set_title("held-out problems", fontsize=10, loc="left")
    axis.set(xlabel="measurement", ylabel="share, or AUC")
    axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))


def _attacks(axis: Any, records: Sequence[Mapping[str, Any]]) -> None:
    """Attacks one after the other; at each vertical line the provers meet a new verifier."""
    held, at = {(r["what"], r["round"]): _value(r.get("fooled")) for r in records}, 0
    ends: list[tuple[int, float]] = []
    for number in sorted({r["round"] for r in records if r["what"] == "checked"}):
        steps = [_value(r["fooled"]) for r in records if (r["what"], r["round"]) == ("attack", number)]
        first = number == 0
        place = at + 0.5 + np.arange(len(steps))
        axis.plot(
            place, steps, color=LINES["fooled"], alpha=0.25, lw=1, label="an iteration" if first else None
        )
        label = f"mean of {WIDTH}" if first else None
        axis.plot(place, _smooth(steps), color=LINES["fooled"], lw=1.8, label=label)
        if steps:
            axis.axvline(at, color="#bbbbbb", lw=0.8)
            axis.annotate(f"round {number}", (at, 1.0), (4, 0), textcoords="offset points", fontsize=8)
        ends.append((at, held["checked", number]))
        at += len(steps)
        if ("attacked", number) in held:
            ends.append((at, held["attacked", number]))
    axis.axvline(at, color="#bbbbbb", lw=0.8)
    axis.plot(*zip(*ends), color="black", ls="", marker="o", ms=4, label="held out", clip_on=False, zorder=3)
    axis.axhline(FOOLED, color="grey", lw=0.8, ls=":")
    axis.set_title(
        "wrong solutions of the sneaky prover that are accepted, by attack", fontsize=10, loc="left"
    )
    axis.set(xlabel="RL iteration", ylabel="share fooled", xlim=(0, at or 1))
    axis.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))


def _value(share: float | None) -> float:
    return float("nan") if share is None else share


def _smooth(values: Sequence[float]) -> np.ndarray:
    """The running mean of what is there."""
    reach = WIDTH // 2
    pieces = [np.array(values[max(0, i - reach) : i + reach + 1]) for i in range(len(values))]
    return np.array([np.nan if np.isnan(piece).all() else np.nanmean(piece) for piece in pieces])
