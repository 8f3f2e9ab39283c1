"""Killed, stopped, swept or replicated, a run comes to the same numbers."""

import re
import signal
import sys
import time

import pytest
import yaml
from omegaconf import OmegaConf

from pvg import checkpoint
from pvg.errors import UserError
from pvg.run import go_on
from tests.cli import TINY, finish, logged, start
from tests.run.runs import ALIKE, check_sweep, metrics, same_end


def test_a_sweep_has_a_folder_for_each_run_and_the_seed_decides(pvg, reference):
    done = pvg("-m", *ALIKE[1:], "seed=3,4").ok()
    check_sweep(done, 2)
    three, four = sorted(done.folder.glob("runs/*/*/"))
    same_end(three, reference[1])
    assert metrics(four) != metrics(three)
    assert [p.name for p in done.folder.iterdir()] == ["runs"]


def test_a_killed_run_resumes_to_the_same_end(pvg, reference, tmp_path):
    run = tmp_path / "run"
    pvg.killed(*ALIKE, folder=run, rows=9)
    spend(run, seconds=9000.0, cpu_seconds=6000.0)
    pvg("resume=run", folder=tmp_path).ok()
    same_end(run, reference[1])
    result = yaml.safe_load((run / "result.json").read_text())
    assert 150 <= result["minutes"] < 155 and 100 <= result["cpu_minutes"] < 105, "with those before the kill"
    again = pvg("resume=run", folder=tmp_path).ok()
    assert "This run is finished" in again.out and "soundness, attack search" in again.out


def spend(run, **spent):
    """As if the run's last checkpoint had taken so long."""
    state = checkpoint.load(run)
    assert all(0 < state[name] < 600 for name in spent)
    checkpoint.save(run / "checkpoints", state | spent, state["step"])


def test_a_run_killed_before_its_first_checkpoint_starts_again(pvg, reference, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text((reference[1] / "config.yaml").read_text().replace("offline", "'off'"))
    (run / "metrics.csv").write_text("step,accuracy\n1,0.5\n2,0.")
    pvg("resume=run", folder=tmp_path).ok()
    same_end(run, reference[1])


def test_ctrl_c_saves_and_says_how_to_go_on(pvg, reference, tmp_path):
    process, run = pvg.begin(*ALIKE, "folder=run", "tracker=offline", folder=tmp_path), tmp_path / "run"
    process.wait_for(lambda: logged(run) > 6)
    done = process.stop(signal.SIGINT)
    assert done.code == 130 and "Traceback" not in done.err + done.out
    said = re.search(r"Stopped after iteration (\d+). Go on with:  python -m pvg.run (\S+)", done.out)
    assert checkpoint.load(run)["step"] == int(said[1]) == len(metrics(run)) < 20
    pvg(said[2], folder=tmp_path).ok()
    same_end(run, reference[1])


def test_ctrl_c_while_it_builds_or_judges(pvg, tmp_path):
    builds = pvg.begin("env.train=200000", "tracker=csv", folder=tmp_path)
    builds.wait_for(lambda: "making the environment" in builds.err.read_text())
    done = builds.stop(signal.SIGINT)
    assert done.code == 130 and "Traceback" not in done.err and not list(tmp_path.iterdir())
    judges = pvg.begin(*TINY, "evaluation.baselines=1e4", "folder=run", folder=tmp_path)
    judges.wait_for(lambda: "training the same verifier" in judges.err.read_text())
    done = judges.stop(signal.SIGINT)
    assert done.code == 130 and "Traceback" not in done.err
    assert "Go on with:  python -m pvg.run resume=run" in done.out


@pytest.mark.slow
def test_torchrun_trains_replicas_in_one_folder_and_resumes(pvg, tmp_path):
    launcher = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m")
    process = start(*ALIKE, "evaluation.baselines=0", "folder=run", folder=tmp_path, launcher=launcher)
    while logged(tmp_path / "run") <= 5:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)  # torchrun hands it on
    stopped = finish(process, tmp_path)
    assert re.search(r"Go on with:  torchrun --nproc-per-node=2 -m pvg.run resume=run\n", stopped.out), (
        stopped.err
    )
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
    assert checkpoint.load(tmp_path / "run")["step"] == len(metrics(tmp_path / "run")) < 20
    alone = pvg("resume=run", folder=tmp_path)
    alone.complains("Resume it with as many: torchrun --nproc-per-node=2 -m pvg.run resume=run")
    done = finish(start("resume=run", folder=tmp_path, launcher=launcher), tmp_path).ok()
    assert done.out.count("Everything about this run is in run/") == 1
    rows = metrics(tmp_path / "run")
    assert len(rows) == 20 and float(rows[-1]["turns"]) == pytest.approx(10240, rel=0.05), "of each replica"
    assert len(checkpoint.load(tmp_path / "run")["replicas"]) == 2


def test_a_named_run_goes_on_wherever_ray_is(tmp_path):
    """As a job that Slurm requeues: it gets other machines."""
    begun = {
        "exp_id": "x",
        "folder": str(tmp_path / "x"),
        "seed": 1,
        "engine": {"address": "n1:1", "most_restarts": 3},
    }
    (tmp_path / "x").mkdir()
    (tmp_path / "x/config.yaml").write_text(yaml.safe_dump(begun | {"resume": None}))
    now = OmegaConf.create(begun | {"resume": None})
    now.engine.address = "n2:7"
    go_on(now)
    assert now.resume == str(tmp_path / "x")
    now.engine.most_restarts = 4
    with pytest.raises(UserError, match=r"engine\.most_restarts=3, and now it is 4"):
        go_on(now)
