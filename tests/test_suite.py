"""Suites: the runs that the arguments mean, what is done once, the table, and the script for LSF."""

import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser

from pvg import suite
from tests.cli import environment

GOLDEN = Path(__file__).parent / "suite.lsf"
ARGUMENTS = [
    "experiment=planning",
    "env=gridworld",
    "env.level=path,maze0",
    "seed=0,1,2",
    "trainer.rollout_temperature=[1.0,0.5]",
]
TINY = [
    "experiment=planning",
    "env=gridworld",
    "env.games=2",
    "trainer.decisions=2",
    "planner=random",
    "tracker=csv",
]


def test_the_runs_are_those_of_hydra_s_sweeper():
    overrides = OverridesParser.create().parse_overrides(ARGUMENTS)
    (batch,) = BasicSweeper.split_arguments(overrides, None)
    assert suite.combinations(ARGUMENTS) == [list(each) for each in batch] and len(batch) == 6


def test_the_script_for_lsf_is_as_it_was(capsys):
    suite.main(["--lsf", "--dry-run", "--jobs", "4", "--folder", "runs/grids", *ARGUMENTS])
    assert capsys.readouterr().out == GOLDEN.read_text()


def test_the_script_runs_the_run_of_its_index(tmp_path):
    """With a stand-in for Python that says what it is asked."""
    stub = tmp_path / "python"
    stub.write_text('#!/bin/sh\nfor word; do echo "$word"; done\n')
    stub.chmod(0o755)
    for k, overrides in enumerate(suite.combinations(ARGUMENTS)):
        given = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "LSB_JOBINDEX": str(k + 1)}
        (tmp_path / "runs/grids").mkdir(parents=True, exist_ok=True)
        subprocess.run(["bash", GOLDEN], env=given, cwd=tmp_path, check=True)
        said = (tmp_path / f"runs/grids/{k}.log").read_text().splitlines()
        assert said == ["-m", "pvg.run", *overrides, f"exp_id={k}", f"folder=runs/grids/{k}"]


def test_a_dry_run_shows_the_commands(capsys, tmp_path):
    suite.main(["--dry-run", "--folder", str(tmp_path / "new"), *ARGUMENTS])
    lines = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    assert [line[3:-2] for line in lines] == suite.combinations(ARGUMENTS) and not (tmp_path / "new").exists()


def test_runs_that_differ_in_their_seed_make_a_row(tmp_path, capsys):
    found = {}
    for k in range(6):
        if k != 4:  # one has not come to its end
            (tmp_path / str(k)).mkdir()
            found[k] = {"success": k / 7, "steps": 10 + k, "by": {"no": "number"}, "fine": True}
            (tmp_path / str(k) / "result.json").write_text(json.dumps(found[k]))
    suite.main(["--table", "--folder", str(tmp_path), *ARGUMENTS])
    out = capsys.readouterr().out
    assert (tmp_path / "table.md").read_text() == out
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in out.splitlines()]
    assert head == ["", "success", "steps", "runs"] and [row[-1] for row in rows] == ["3", "2"]
    assert "env.level=maze0" in rows[1][0] and "seed" not in out
    mean, spread = map(float, rows[0][1].split(" ± "))
    values = [found[k]["success"] for k in range(3)]
    assert mean == pytest.approx(statistics.mean(values), rel=1e-3)
    assert spread == pytest.approx(statistics.stdev(values), rel=0.05)


def test_what_is_done_is_not_run_again_and_at_most_so_many_run_at_once(tmp_path, capsys, monkeypatch):
    began, running, most = [], [], []

    def stand_in(words, **_):
        running.append(words)
        most.append(len(running))
        folder = Path(next(word for word in words if word.startswith("folder=")).partition("=")[2])
        began.append(folder.name)
        folder.mkdir()
        (folder / "result.json").write_text("{}")
        running.remove(words)
        return subprocess.CompletedProcess(words, 0)

    monkeypatch.setattr(suite.subprocess, "run", stand_in)
    for _ in range(2):
        suite.main(["--folder", str(tmp_path / "s"), "--jobs", "2", *ARGUMENTS])
    assert sorted(began) == list("012345") and max(most) <= 2
    with pytest.raises(SystemExit):
        suite.main(["--folder", str(tmp_path / "s"), "seed=5"])
    assert "holds another suite" in capsys.readouterr().err


def test_a_suite_over_seeds_alone_has_one_row(tmp_path):
    for k in range(2):
        (tmp_path / str(k)).mkdir()
        (tmp_path / str(k) / "result.json").write_text('{"success": 1}')
    assert suite.table([["seed=0"], ["seed=1"]], tmp_path).splitlines()[-1] == "| all | 1 ± 0 | 2 |"


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--jobs", "0"], "--jobs 0"),
        (["folder=a"], "a folder of its own"),
        (["exp_id=a"], "a folder of its own"),
        (["seed=[1"], "pvg: "),
    ],
)
def test_wrong_input_is_one_paragraph(arguments, words, capsys):
    with pytest.raises(SystemExit) as error:
        suite.main(arguments)
    assert error.value.code == 2 and words in capsys.readouterr().err


def test_a_suite_of_real_runs(tmp_path, monkeypatch, capsys):
    for name, value in environment(PYTHONPATH=str(Path(__file__).parent.parent)).items():
        monkeypatch.setenv(name, value)
    first = suite.command(suite.combinations([*TINY, "seed=0,1"])[0], tmp_path / "s/0")
    subprocess.run([sys.executable, *first], check=True, capture_output=True)
    for name in ("result.json", "checkpoints"):  # as if it had been stopped before its first checkpoint
        path = tmp_path / "s/0" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    suite.main(["--folder", str(tmp_path / "s"), *TINY, "seed=0,1"])
    assert capsys.readouterr().out.splitlines()[-1].endswith("| 2 |")
    assert {p.name for p in (tmp_path / "s").iterdir()} >= {
        "0",
        "1",
        "0.log",
        "1.log",
        "table.md",
        "suite.json",
    }
