"""What a run shows while it works: a bar on a terminal, a line now and then elsewhere; and tables."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

SHOWN = ("accuracy", "completeness", "soundness")


class Bar:
    """Progress of a loop with the numbers that matter; silent when ``shown`` is False (other replicas).

    Args:
        total: iterations of the whole loop.
        name: what is going on.
    """

    def __init__(self, total: int, name: str = "training", shown: bool = True):
        self.total, self.name, self.shown = total, name, shown
        self.live = shown and sys.stderr.isatty()
        self.said = time.monotonic()
        if self.live:
            columns = [
                TextColumn("{task.description}"),
                BarColumn(24),
                TextColumn("{task.completed}/{task.total}"),
            ]
            columns += [TextColumn("{task.fields[numbers]}"), TimeRemainingColumn()]
            self.progress = Progress(*columns, console=Console(stderr=True))
            self.task = self.progress.add_task(name, total=total, numbers="")
            self.progress.start()

    def update(self, iteration: int, metrics: Mapping[str, float]) -> None:
        """Show where the loop is."""
        if not self.shown:
            return
        numbers = f"{metrics.get('turns_per_s', 0):,.0f} turns/s  " if "turns_per_s" in metrics else ""
        numbers += "  ".join(f"{k} {metrics[k]:.3f}" for k in SHOWN if k in metrics)
        if self.live:
            self.progress.update(self.task, completed=iteration, numbers=numbers)
        elif time.monotonic() - self.said > 10 or iteration == self.total:
            self.said = time.monotonic()
            print(f"{self.name} {iteration}/{self.total}  {numbers}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the bar where it is."""
        if self.live:
            self.progress.stop()


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table; None shows as a dash and fractions as percentages."""
    grid = Table(title=title, title_justify="left")
    for i, column in enumerate(columns):
        grid.add_column(column, justify="left" if i == 0 else "right")
    for row in rows:
        grid.add_row(*(_cell(x) for x in row))
    Console().print(grid)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return (
        f"{100 * value:.1f} %"
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )
