"""Learning curves as one PNG, from a run's ``metrics.csv``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pvg.tracking import read_metrics


def draw_curves(folder: Path) -> Path:
    """Draw ``curves.png``: rates as played and on held-out instances, rewards, entropies, against turns.

    Returns:
        the picture's path.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    data = read_metrics(folder)
    turns = data.get("turns", data["step"]) / 1e6
    figure, axes = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
    colours = {"accuracy": "#1b4965", "completeness": "#5fa8d3", "soundness": "#ca6702"}
    for name, colour in colours.items():
        held = data.get(f"held_out/{name}")
        if name in data:
            label = f"{name}, as played" if held is None else None
            axes[0].plot(turns, _smooth(data[name]), color=colour, alpha=0.35, lw=1, label=label)
        if held is not None:
            there = ~np.isnan(held)
            axes[0].plot(turns[there], held[there], color=colour, marker="o", ms=3, label=f"{name}, held out")
    axes[0].axhline(0.5, color="grey", lw=0.8, ls=":")
    axes[0].set(ylim=(0.4, 1.02), title="decisions (thin: as played in training)")
    axes[0].legend(frameon=False, fontsize=8, loc="lower right")
    for axis, ending, title in (
        (axes[1], "/reward", "reward at the end of a game"),
        (axes[2], "/entropy", "entropy, nats"),
    ):
        for name in sorted(k for k in data if k.endswith(ending)):
            axis.plot(turns, _smooth(data[name]), label=name.removesuffix(ending))
        axis.set_title(title)
        axis.legend(frameon=False, fontsize=8)
    for axis in axes:
        axis.set_xlabel("million turns")
        axis.spines[["top", "right"]].set_visible(False)
    path = folder / "curves.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _smooth(values: np.ndarray, window: int = 5) -> np.ndarray:
    if len(values) < 2 * window:
        return values
    padded = np.pad(values, (window // 2, window - 1 - window // 2), mode="edge")
    return np.convolve(padded, np.ones(window) / window, mode="valid")
