"""Many runs and one table: ``python -m pvg.suite [--jobs 2] [--folder runs/suite] key=a,b seed=0,1,2``.

The arguments are those of ``python -m pvg.run -m``.  Runs go side by side, at most so many at once; what is done is not
run again, and what was stopped goes on.  ``--lsf`` hands them to LSF as a job array instead, ``--dry-run`` shows what
would be run or submitted, and ``--table`` only reads what is there.  For Slurm see docs/configuration.md.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shlex
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser

from pvg.errors import UserError
from pvg.run import said_in_words

SEED = "seed="


def combinations(overrides: Sequence[str]) -> list[list[str]]:
    """The overrides of every run: what lists several values takes each of them, the last one fastest.

    Raises:
        UserError: for what is no override, and for keys that the suite sets itself.
    """
    choices = []
    for parsed in OverridesParser.create().parse_overrides(list(overrides)):
        key = str(parsed.key_or_group)
        if key in ("folder", "exp_id", "resume", "checkpoint", "mode"):
            raise UserError(
                f"{parsed.input_line}: a suite trains, each run in a folder of its own (--folder)."
            )
        if parsed.is_sweep_override():
            values = parsed.sweep_string_iterator()
            choices.append([f"{parsed.get_key_element()}={value}" for value in values])
        else:
            choices.append([str(parsed.input_line)])
    return [list(each) for each in itertools.product(*choices)]


def remember(runs: Sequence[Sequence[str]], folder: Path) -> None:
    """Write down which runs a folder is of.

    Raises:
        UserError: it is of others.
    """
    file = folder / "suite.json"
    if file.is_file() and json.loads(file.read_text()) != list(map(list, runs)):
        raise UserError(
            f"{folder} holds another suite, see {file}. Name another with --folder, or remove it."
        )
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(runs, indent=1) + "\n")


def command(overrides: Sequence[str], folder: Path) -> list[str]:
    """What runs one of them, or goes on with it if it has begun; the words after ``python``."""
    return ["-m", "pvg.run", *overrides, f"exp_id={folder.name}", f"folder={folder}"]


def run(overrides: Sequence[str], folder: Path) -> bool:
    """Run one of them, unless it is done; its output goes to a file beside its folder."""
    if not (folder / "result.json").is_file():
        folder.parent.mkdir(parents=True, exist_ok=True)
        log = folder.with_suffix(".log")
        with log.open("a") as out:
            done = subprocess.run([sys.executable, *command(overrides, folder)], stdout=out, stderr=out)
        if done.returncode:
            print(f"{folder} FAILED, see {log}: {' '.join(overrides)}", file=sys.stderr, flush=True)
            return False
    print(f"{folder} done: {' '.join(overrides)}", flush=True)
    return True


def lsf_script(runs: Sequence[Sequence[str]], folder: Path, jobs: int) -> str:
    """A job array for LSF's ``bsub``, with at most ``jobs`` at once."""
    lines = [shlex.join(["python", *command(each, folder / str(k))]) for k, each in enumerate(runs)]
    return "\n".join(
        [
            "#!/bin/bash",
            f'#BSUB -J "pvg[1-{len(runs)}]%{jobs}"',
            "#BSUB -n 1",
            "#BSUB -o /dev/null",  # LSF counts from 1, and folders from 0
            "commands=(",
            *(f"    {shlex.quote(line)}" for line in lines),
            ")",
            "run=$((LSB_JOBINDEX - 1))",
            f'eval "${{commands[$run]}}" >> {shlex.quote(str(folder))}/$run.log 2>&1',
            "",
        ]
    )


def table(runs: Sequence[Sequence[str]], folder: Path) -> str:
    """A Markdown table: a row for runs that differ in their seed alone, mean ± standard deviation of each number."""
    rows: dict[str, list[Mapping[str, float]]] = {}
    for k, each in enumerate(runs):
        file = folder / str(k) / "result.json"
        if file.is_file():
            what = " ".join(word for word in each if not word.startswith(SEED))
            found = json.loads(file.read_text())
            numbers = {
                n: v for n, v in found.items() if isinstance(v, int | float) and not isinstance(v, bool)
            }
            rows.setdefault(what, []).append(numbers)
    names = list(dict.fromkeys(name for found in rows.values() for one in found for name in one))
    lines = [_line(["", *names, "runs"]), "|" + "---|" * (len(names) + 2)]
    for what, found in rows.items():
        cells = [_spread([one[name] for one in found if name in one]) for name in names]
        lines.append(_line([f"`{what}`" if what else "all", *cells, str(len(found))]))
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "–"
    return f"{statistics.mean(values):.4g}" + (
        f" ± {statistics.stdev(values):.2g}" if len(values) > 1 else ""
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m pvg.suite", description=__doc__.partition("\n")[0])
    parser.add_argument("overrides", nargs="*", help="as of python -m pvg.run -m")
    parser.add_argument("--jobs", type=int, default=2, help="runs at once (2)")
    parser.add_argument("--folder", type=Path, default=Path("runs/suite"), help="of the runs (runs/suite)")
    parser.add_argument("--lsf", action="store_true", help="submit them to LSF as a job array")
    parser.add_argument("--dry-run", action="store_true", help="only show what would be run or submitted")
    parser.add_argument("--table", action="store_true", help="only make the table of what is there")
    chosen = parser.parse_intermixed_args(arguments)
    with said_in_words():
        if chosen.jobs < 1:
            raise UserError(f"--jobs {chosen.jobs}: write 1 or more.")
        runs, folder = combinations(chosen.overrides), chosen.folder
        if not chosen.table and (chosen.lsf or chosen.dry_run):
            _hand_over(runs, folder, chosen.jobs, lsf=chosen.lsf, dry=chosen.dry_run)
            return
        remember(runs, folder)
        fine = True
        if not chosen.table:
            with ThreadPoolExecutor(chosen.jobs) as pool:
                fine = all(list(pool.map(lambda k: run(runs[k], folder / str(k)), range(len(runs)))))
        made = table(runs, folder)
        (folder / "table.md").write_text(made)
        print(made, end="")
        if not fine:
            raise SystemExit(1)


def _hand_over(runs: Sequence[Sequence[str]], folder: Path, jobs: int, *, lsf: bool, dry: bool) -> None:
    """Submit the runs to LSF, or show them."""
    script = lsf_script(runs, folder, jobs)
    if dry:
        plain = [shlex.join(["python", *command(each, folder / str(k))]) for k, each in enumerate(runs)]
        print(script if lsf else "\n".join(plain), end="" if lsf else "\n")
        return
    remember(runs, folder)
    (folder / "suite.lsf").write_text(script)
    try:
        subprocess.run(["bsub"], input=script, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(
            f"bsub can't take the jobs ({error}). Submit {folder}/suite.lsf on a machine of the cluster, "
            "from this folder: bsub < FILE"
        ) from None


if __name__ == "__main__":
    main()
