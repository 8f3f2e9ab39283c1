"""The tables of docs/results.md: ``python -m benchmarks.results [names] [--seeds 5] [--jobs 2]``.

Every row is one command with several seeds.  Runs that are done are not run again (``runs/results`` keeps
them), so that it can be stopped at any time and goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path("runs/results")
PAGE = Path("docs/results.md")


@dataclass(frozen=True)
class Row:
    """One row: a name, what it shows, and the overrides of its command."""

    name: str
    what: str
    overrides: str = ""

    @property
    def command(self) -> str:
        """What a user types, but for the seed."""
        return f"python -m pvg.run {self.overrides}".strip()


COLD = "trainer.learning.prover.pretrain=0 trainer.learning.prover.auxiliary=0"
HARD = "'env.nodes=[12,20]' 'env.scores={1:0,2:0,3:1}' env.regular=1"
LEAN = "evaluation.baselines=0"  # the baselines stand in the first row of each table
TABLES = {
    "Graph isomorphism, 7–11 nodes, verifier of 2 layers": [
        Row("gi", "warm-started prover, both learn"),
        Row("gi-cold", "prover by RL alone", f"{COLD} {LEAN}"),
        Row("gi-frozen", "prover frozen after its warm start", f"+trainer.learning.prover.stop=8 {LEAN}"),
        Row("gi-untrained", "prover frozen, never trained", f"+trainer.learning.prover.frozen=true {LEAN}"),
        Row("gi-cooperative", "cooperative payoffs", f"payoffs=cooperative {LEAN}"),
        Row("gi-adp", "one question (adp)", f"protocol=adp {LEAN}"),
    ],
    "Graph isomorphism, regular graphs on 12–20 nodes that Weisfeiler–Leman can't tell apart": [
        Row("hard-2", "verifier of 2 layers", HARD),
        Row(
            "hard-2-frozen",
            "the same, prover frozen after its warm start",
            f"{HARD} +trainer.learning.prover.stop=8 {LEAN}",
        ),
        Row("hard-1", "verifier of 1 layer", f"{HARD} agents.verifier.net.layers=1 {LEAN}"),
    ],
    "Primality, claim composite, matched negatives": [
        Row("composite-16", "16 bits", "env=primality env.bits=16"),
        Row("composite-16-cold", "16 bits, prover by RL alone", f"env=primality env.bits=16 {COLD} {LEAN}"),
        Row(
            "composite-16-cooperative",
            "16 bits, cooperative payoffs",
            f"env=primality env.bits=16 payoffs=cooperative {LEAN}",
        ),
        Row("composite-24", "24 bits", "env=primality env.bits=24"),
        Row("composite-24-cold", "24 bits, prover by RL alone", f"env=primality env.bits=24 {COLD} {LEAN}"),
    ],
    "Primality, claim prime": [
        Row("prime-16", "16 bits", "env=primality_prime env.bits=16"),
        Row(
            "prime-16-cooperative",
            "16 bits, cooperative payoffs",
            f"env=primality_prime env.bits=16 payoffs=cooperative {LEAN}",
        ),
    ],
}


def run(row: Row, seed: int) -> None:
    """Run one row with one seed, unless it is done."""
    folder = FOLDER / row.name / str(seed)
    if (folder / "result.json").exists():
        return
    extra = [f"resume={folder}"] if (folder / "checkpoints").exists() else []
    own = [*shlex.split(row.overrides), f"seed={seed}", f"folder={folder}", "threads=1", "tracker=csv"]
    log = folder.with_suffix(".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as out:
        done = subprocess.run([sys.executable, "-m", "pvg.run", *(extra or own)], stdout=out, stderr=out)
    print(f"{row.name} seed {seed}: {'done' if done.returncode == 0 else f'FAILED, see {log}'}", flush=True)


COLUMNS = {
    "accuracy": "accuracy",
    "completeness": "completeness",
    "soundness": "soundness",
    "soundness/fresh": "against a fresh prover",
    "soundness/search": "against search",
    "soundness/exhaustive": "against every message",
    "alone": "verifier alone",
    "babbled": "with a babbling prover",
}


def table(title: str, rows: list[Row]) -> str:
    """A Markdown table of mean ± standard deviation over the seeds that are there, in percent."""
    found = {
        r: [json.loads(p.read_text()) for p in sorted((FOLDER / r.name).glob("*/result.json"))] for r in rows
    }
    keys = [k for k in COLUMNS if any(k in result for results in found.values() for result in results)]
    head = ["", *(COLUMNS[k] for k in keys), "CPU minutes", "seeds"]
    lines = [f"### {title}", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row, results in found.items():
        if results:
            minutes = statistics.mean(r["cpu_minutes"] for r in results)
            cells = [_spread([r[k] for r in results if r.get(k) is not None]) for k in keys]
            lines.append("| " + " | ".join([row.what, *cells, f"{minutes:.1f}", str(len(results))]) + " |")
    lines += ["", "Commands, with `seed=0` and up, one for each seed:", "", "```"]
    lines += [f"{r.command}" for r in rows if found[r]]
    return "\n".join([*lines, "```", ""])


def _spread(values: list[float]) -> str:
    if not values:
        return "–"
    mean = 100 * statistics.mean(values)
    return f"{mean:.1f}" + (f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else "")


def main() -> None:
    """Run what is missing and write the tables between the page's markers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="rows to run; all if none is named")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only-tables", action="store_true", help="run nothing")
    options = parser.parse_args()
    every = [row for rows in TABLES.values() for row in rows]
    unknown = set(options.names) - {r.name for r in every}
    if unknown:
        parser.error(
            f"no row is called {', '.join(sorted(unknown))}; there are {', '.join(r.name for r in every)}"
        )
    chosen = [r for r in every if not options.names or r.name in options.names]
    if not options.only_tables:
        with ThreadPoolExecutor(options.jobs) as pool:
            list(pool.map(lambda job: run(*job), [(r, s) for s in range(options.seeds) for r in chosen]))
    tables = "\n".join(table(title, rows) for title, rows in TABLES.items())
    start, end = "<!-- tables: python -m benchmarks.results -->\n", "<!-- end of tables -->\n"
    page = PAGE.read_text() if PAGE.exists() else f"# Results\n\n{start}{end}"
    before, after = page.split(start)[0], page.split(end)[1]
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(f"{before}{start}\n{tables}\n{end}{after}")
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
