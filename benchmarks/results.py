"""The tables of docs/results.md: ``python -m benchmarks.results [names] [--seeds 5] [--jobs 2]``.

Every row is one command with several seeds.  Runs that are done are not run again (``runs/results`` keeps
them), so that it can be stopped at any time and goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

FOLDER = Path("runs/results")
PAGE, README = Path("docs/results.md"), Path("README.md")
LOCK = Lock()  # Hydra composes one config at a time


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


TAUGHT = (
    "trainer.learning.prover.pretrain=8 trainer.learning.prover.auxiliary=0.03 "
    "trainer.learning.verifier.auxiliary=1"
)
WARM = "trainer.learning.prover.pretrain=8 +trainer.learning.prover.stop=8"
HARD = "env=regular_graphs"
ONE_LAYER = f"{HARD} rounds=8 trainer.turns=1e6 agents.verifier.net.layers=1"
COLD = "trainer=primality_cold payoffs=strict"
LEAN = "evaluation.baselines=0"  # the baselines stand in the first row of each table
TABLES = {
    "Graph isomorphism, 7–11 nodes, verifier of 2 layers": [
        Row("gi", "both learn from rewards alone"),
        Row("gi-taught", "prover warm-started, verifier also told the labels", f"{TAUGHT} {LEAN}"),
        Row("gi-frozen", "prover frozen after its warm start", f"{WARM} {LEAN}"),
        Row("gi-untrained", "prover frozen, never trained", f"+trainer.learning.prover.frozen=true {LEAN}"),
        Row("gi-cooperative", "cooperative payoffs", f"payoffs=cooperative {LEAN}"),
        Row("gi-verifier-first", "verifier first", f"env.protocol.first=verifier {LEAN}"),
        Row("gi-adp", "one question (adp)", f"protocol=adp {LEAN}"),
    ],
    "Graph isomorphism, regular graphs on 12–20 nodes that Weisfeiler–Leman can't tell apart": [
        Row("hard-2", "verifier of 2 layers, 5 questions", HARD),
        Row(
            "hard-2-taught",
            "the same, prover warm-started, verifier told the labels",
            f"{HARD} {TAUGHT} {LEAN}",
        ),
        Row("hard-2-frozen", "the same, prover frozen after its warm start", f"{HARD} {WARM} {LEAN}"),
        Row("hard-1", "verifier of 1 layer, 8 questions", ONE_LAYER),
    ],
    "Primality, claim composite, matched negatives": [
        Row(
            "composite-16",
            "16 bits, prover warm-started, verifier also told the labels",
            "env=primality env.bits=16",
        ),
        Row("composite-16-cold", "16 bits, rewards alone", f"env=primality env.bits=16 {COLD} {LEAN}"),
        Row(
            "composite-16-cooperative",
            "16 bits, cooperative payoffs",
            f"env=primality env.bits=16 payoffs=cooperative {LEAN}",
        ),
        Row(
            "composite-24",
            "24 bits, prover warm-started, verifier also told the labels",
            "env=primality env.bits=24",
        ),
        Row(
            "composite-24-cold",
            "24 bits, rewards alone",
            f"env=primality env.bits=24 {COLD} env.slots=4096 trainer.turns=5e6 {LEAN}",
        ),
    ],
    "Primality, claim prime": [
        Row(
            "prime-16",
            "16 bits, prover warm-started, verifier also told the labels",
            "env=primality_prime env.bits=16",
        ),
        Row(
            "prime-16-cooperative",
            "16 bits, cooperative payoffs",
            f"env=primality_prime env.bits=16 payoffs=cooperative {LEAN}",
        ),
    ],
}


HEADLINES = {  # rows of the README's table
    "gi": "pairs of graphs on 7–11 nodes, 3 questions, verifier of 2 layers",
    "hard-2": "regular graphs on 12–20 nodes, 5 questions, verifier of 2 layers",
    "hard-1": "the same, 8 questions, verifier of 1 layer",
    "composite-24": "numbers of 24 bits, claim composite, warm start",
    "prime-16": "numbers of 16 bits, claim prime, warm start",
}


def run(row: Row, seed: int) -> None:
    """Run one row with one seed, unless it is done; what other settings left is removed."""
    folder = FOLDER / row.name / str(seed)
    own = [*shlex.split(row.overrides), f"seed={seed}", f"folder={folder}", "threads=1", "tracker=csv"]
    if folder.exists() and not _same_settings(folder, own):
        print(f"{row.name} seed {seed}: was run with other settings, so it is run again", flush=True)
        shutil.rmtree(folder)
    if (folder / "result.json").exists():
        return
    extra = [f"resume={folder}"] if (folder / "checkpoints").exists() else []
    log = folder.with_suffix(".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as out:
        done = subprocess.run([sys.executable, "-m", "pvg.run", *(extra or own)], stdout=out, stderr=out)
    print(f"{row.name} seed {seed}: {'done' if done.returncode == 0 else f'FAILED, see {log}'}", flush=True)


def _same_settings(folder: Path, overrides: list[str]) -> bool:
    """Whether the run in ``folder`` has the settings that it would have today."""
    with LOCK, initialize_config_dir(str(Path("configs").resolve()), version_base="1.3"):
        today = OmegaConf.to_container(compose("run", overrides=overrides), resolve=True)
    saved = folder / "config.yaml"
    return saved.exists() and _given(OmegaConf.to_container(OmegaConf.load(saved))) == _given(today)


def _given(settings: Any) -> Any:
    """Settings without those that are null, as keys are that did not exist yet."""
    if not isinstance(settings, dict):
        return settings
    return {key: _given(value) for key, value in settings.items() if value is not None}


COLUMNS = {
    "accuracy": "accuracy",
    "completeness": "completeness",
    "soundness": "soundness",
    "soundness/fresh": "against a fresh prover",
    "soundness/search": "against search",
    "soundness/exhaustive": "against every message",
    "soundness/worst": "soundness against all attacks",
    "alone": "verifier alone",
    "babbled": "with a babbling prover",
}


def results_of(row: Row) -> list[dict[str, Any]]:
    """What the row's runs ended with, as far as they have."""
    return [json.loads(p.read_text()) for p in sorted((FOLDER / row.name).glob("*/result.json"))]


def table(title: str, rows: list[Row]) -> str:
    """A section with a table of the rows that have been run, and their commands."""
    rows = [row for row in rows if results_of(row)]
    if not rows:
        return f"### {title}\n\nNot measured with this version.\n"
    keys = [k for k in COLUMNS if any(k in result for row in rows for result in results_of(row))]
    lines = [f"### {title}", "", *grid([(row.what, row) for row in rows], keys)]
    lines += ["", "Commands, with `seed=0` and up, one for each seed:", "", "```"]
    return "\n".join([*lines, *(row.command for row in rows), "```", ""])


def grid(rows: list[tuple[str, Row]], keys: Iterable[str]) -> list[str]:
    """A Markdown table of mean ± standard deviation over the seeds that are there, in percent."""
    head = ["", *(COLUMNS[k] for k in keys), "CPU minutes", "seeds"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for what, row in rows:
        results = results_of(row)
        minutes = statistics.mean(r["cpu_minutes"] for r in results)
        cells = [spread([r[k] for r in results if r.get(k) is not None]) for k in keys]
        lines.append("| " + " | ".join([what, *cells, f"{minutes:.1f}", str(len(results))]) + " |")
    return lines


def spread(values: list[float]) -> str:
    """Mean ± standard deviation in percent; a dash for nothing."""
    if not values:
        return "–"
    mean = 100 * statistics.mean(values)
    return f"{mean:.1f}" + (f" ± {100 * statistics.stdev(values):.1f}" if len(values) > 1 else "")


def choose(what: str | None, every: list[Row], seeds: int) -> None:
    """Run those rows that the command line asks for, where they have not been run."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("names", nargs="*", help="rows to run; all if none is named")
    parser.add_argument("--seeds", type=int, default=seeds)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only-tables", action="store_true", help="run nothing")
    options = parser.parse_args()
    unknown = set(options.names) - {r.name for r in every}
    if unknown:
        parser.error(
            f"no row is called {', '.join(sorted(unknown))}; there are {', '.join(r.name for r in every)}"
        )
    chosen = [r for r in every if not options.names or r.name in options.names]
    if not options.only_tables:
        with ThreadPoolExecutor(options.jobs) as pool:
            list(pool.map(lambda job: run(*job), [(r, s) for s in range(options.seeds) for r in chosen]))


def main() -> None:
    """Run what is missing and write the tables between the page's markers."""
    every = [row for rows in TABLES.values() for row in rows]
    choose(__doc__, every, seeds=5)
    write(
        PAGE, "tables: python -m benchmarks.results", "\n".join(table(t, rows) for t, rows in TABLES.items())
    )
    named = [(what, row) for name, what in HEADLINES.items() for row in every if row.name == name]
    columns = ("accuracy", "soundness/worst", "alone")
    write(README, "results", "\n".join(grid([(w, r) for w, r in named if results_of(r)], columns)) + "\n")


def write(page: Path, name: str, text: str) -> None:
    """Put a text between a page's markers of this name."""
    start, end = f"<!-- {name} -->\n", f"<!-- end of {name.partition(':')[0]} -->\n"
    before, _, rest = page.read_text().partition(start)
    after = rest.partition(end)[2]
    page.write_text(f"{before}{start}\n{text}\n{end}{after}")
    print(f"wrote {page}")


if __name__ == "__main__":
    main()
