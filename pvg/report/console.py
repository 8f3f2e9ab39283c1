"""What a run shows while it works: a bar on a terminal, a line now and then elsewhere; and tables."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

SHOWN = ("accuracy", "completeness", "soundness", "success")


class Bar:
    """Progress of a loop with the numbers that matter; silent when ``shown`` is False (other replicas).

    Args:
        total: iterations of the whole loop.
        name: what is going on.
    """

    def __init__(self, total: int, name: str = "training", shown: bool = True):
        self.total, self.name, self.shown = total, name, shown
        self.said, self.held_out = -float("inf"), ""
        self.live = _Live(name, total) if shown and sys.stderr.isatty() else None
        if self.live:
            self.live.start()

    def update(self, iteration: int, metrics: Mapping[str, float]) -> None:
        """Show where the loop is."""
        if not self.shown:
            return
        speed = f"{metrics['turns_per_s']:,.0f} turns/s" if "turns_per_s" in metrics else ""
        played = _rates(metrics)
        self.held_out = _rates(metrics, "held_out/") or self.held_out
        if self.live:
            held_out = f"  held out   {self.held_out}" if self.held_out else ""
            self.live.lines = [line for line in (f"  as played  {played}", held_out) if line]
            self.live.update(self.live.task_ids[0], completed=iteration, speed=speed)
        elif time.monotonic() - self.said > 10 or iteration == self.total:
            self.said = time.monotonic()
            said = f"{self.name} {iteration}/{self.total}", speed, played
            print("  ".join(filter(None, said)), file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the bar where it is."""
        if self.live:
            self.live.stop()


class _Live(Progress):
    """A bar with lines of numbers under it."""

    def __init__(self, name: str, total: int):
        columns = TextColumn(name), BarColumn(None), MofNCompleteColumn(), TextColumn("{task.fields[speed]}")
        self.lines: list[str] = []
        super().__init__(
            *columns, TimeRemainingColumn(elapsed_when_finished=True), console=Console(stderr=True)
        )
        self.add_task(name, total=total, speed="")

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        yield from (Text(line, no_wrap=True, overflow="ellipsis") for line in self.lines)


def _rates(metrics: Mapping[str, float], prefix: str = "") -> str:
    rates = [f"{k} {100 * metrics[prefix + k]:.1f} %" for k in SHOWN if prefix + k in metrics]
    if prefix + "return" in metrics:
        rates.append(f"return {metrics[prefix + 'return']:.2f}")
    return "  ".join(rates)


def doing(what: str, shown: bool = True) -> contextlib.AbstractContextManager:
    """Say what is going on as long as it lasts: a spinner on a terminal, a line elsewhere."""
    if not shown:
        return contextlib.nullcontext()
    if sys.stderr.isatty():
        return Console(stderr=True).status(f"{what} …")
    print(f"{what} …", file=sys.stderr, flush=True)
    return contextlib.nullcontext()


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table, its title above the first column; None shows as a dash and fractions as percentages."""
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for i, column in enumerate([title, *columns]):
        grid.add_column(column, justify="left" if i == 0 else "right")
    for row in rows:
        grid.add_row(*map(_cell, row))
    Console().print("", grid, "", sep="\n")


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{100 * value:.1f} %"
    return f"{value:,}" if isinstance(value, int) else str(value)
