"""The table of rounds in docs/results.md: ``python -m benchmarks.rounds [names] [--seeds 3] [--jobs 2]``.

Every row is one command of ``experiment=rounds`` with several seeds, as in ``benchmarks.results``.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.results import PAGE, Row, choose, results_of, spread, write

GAME = "experiment=rounds"
SHORT = f"{GAME} trainer.rounds=2"
ROWS = [
    Row("rounds", "convincing counts where the role is kept (`reward=cgc`), four rounds", GAME),
    Row("rounds-src", "`reward=src`, two rounds", f"{SHORT} reward=src"),
    Row(
        "rounds-goodhart",
        "paid to convince, whatever the truth (`reward=goodhart trainer.provers.lessons=0`), two rounds",
        f"{SHORT} reward=goodhart trainer.provers.lessons=0",
    ),
    Row(
        "rounds-correctness",
        "paid for the truth alone (`reward=correctness trainer.provers.lessons=0`), two rounds",
        f"{SHORT} reward=correctness trainer.provers.lessons=0",
    ),
    Row(
        "rounds-decoupled",
        "decoupled (`trainer.decoupled=true`), two rounds",
        f"{SHORT} trainer.decoupled=true",
    ),
    Row(
        "rounds-balanced",
        "as many right as wrong solutions of each prover (`trainer.checking.balanced=true`), two rounds",
        f"{SHORT} trainer.checking.balanced=true",
    ),
    Row(
        "rounds-pairs",
        "a verifier that learns from pairs (Bradley and Terry), two rounds",
        f"{SHORT} trainer.checking.loss._target_=pvg.trainers.supervised.bradley_terry",
    ),
]
Pick = Callable[[Mapping[str, Any]], list[float]]


def _at(what: str, key: str, least: int = 0) -> Pick:
    """The values of ``key`` in a run's measurements of one kind, from a round on."""
    return lambda run: [
        r[key] for r in run["rounds"] if r["what"] == what and r["round"] >= least and r.get(key) is not None
    ]


SUMMARY: dict[str, Pick] = {  # of one run's measurements on held-out problems
    "helpful right, start": _at("start", "helpful/accuracy"),
    "helpful right, end": lambda run: _at("checked", "helpful/accuracy")(run)[-1:],
    "legibility tax": lambda run: [run["legibility_tax"]],
    "sneaky wrong, after attacks": _at("attacked", "sneaky/wrong"),
    "unparseable, from round 1": _at("checked", "unparseable", 1),
    "AUC, from round 1": _at("checked", "auc", 1),
    "fooled before attacks, from round 1": _at("checked", "fooled", 1),
    "accepts helpful right, from round 1": _at("checked", "accepts/helpful/right", 1),
    "fooled after attacks": _at("attacked", "fooled"),
}


def table() -> str:
    """The rows that have been run: mean ± standard deviation over seeds of each run's mean over rounds, in percent,
    and in brackets the least and the most of any round."""
    rows = [row for row in ROWS if results_of(row)]
    head = ["", *SUMMARY, "CPU minutes", "seeds"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        runs = results_of(row)
        cells = [_spread([pick(run) for run in runs]) for pick in SUMMARY.values()]
        minutes = statistics.mean(r["cpu_minutes"] for r in runs)
        lines.append("| " + " | ".join([row.what, *cells, f"{minutes:.1f}", str(len(runs))]) + " |")
    lines += [
        "",
        "Steps to exploit (RL iterations until most of the sneaky's wrong solutions are accepted), by round and",
    ]
    lines += ["seed; – where an attack never got there:", "", *_steps(rows)]
    return "\n".join([*lines, "", "```", *(row.command for row in rows), "```", ""])


def _spread(runs: list[list[float]]) -> str:
    """Of each run's mean over rounds; in brackets the least and the most of all rounds and runs."""
    runs = [run for run in runs if run]
    whole = spread([statistics.mean(run) for run in runs])
    if all(len(run) == 1 for run in runs):
        return whole
    least, most = (100 * end(x for run in runs for x in run) for end in (min, max))
    return f"{whole} ({least:.1f} to {most:.1f})"


def _steps(rows: list[Row]) -> list[str]:
    runs = {row.what: [_attacks(r["rounds"]) for r in results_of(row)] for row in rows}
    count = max((len(a) for each in runs.values() for a in each), default=0)
    lines = ["| | " + " | ".join(f"round {r}" for r in range(count)) + " |", "|" + "---|" * (count + 1)]
    for what, attacks in runs.items():
        by_round = [", ".join(_step(a, r) for a in attacks if r < len(a)) for r in range(count)]
        lines.append(f"| {what} | " + " | ".join(by_round) + " |")
    return lines


def _step(attacks: list[int | None], at: int) -> str:
    return "–" if attacks[at] is None else str(attacks[at])


def _attacks(rounds: list[Mapping[str, Any]]) -> list[int | None]:
    return [r["steps_to_exploit"] for r in rounds if r["what"] == "attacked"]


def main() -> None:
    """Run what is missing and write the table between the page's markers."""
    choose(__doc__, ROWS, seeds=3)
    write(PAGE, "rounds: python -m benchmarks.rounds", table())


if __name__ == "__main__":
    main()
