"""A whole run on Ray is killed from outside and started again by its name; none of its processes is left."""

import os
import re
import signal
import time

import psutil
import pytest

from pvg.formal.prop import PATH
from tests.cli import finish, logged, start

COMMAND = (  # noqa: SIM905
    "experiment=adversarial engine=ray exp_id=killed tracker=csv env.moves=4 env.until=prefix-r env.longest=16 "
    "env.database=small.mm env.test=3 trainer.warm=1 trainer.games=4 trainer.attempts=1 trainer.samples=1 "
    "trainer.every=0 trainer.imitation.updates=1 trainer.iterations=20 checkpoint_every=1"
).split()
NO_NICE = {"RAY_worker_niceness": "0"}  # workers give way to all else by default, which may take minutes


def gone(processes, seconds):
    """Those that are still there behind so many seconds at most."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        left = [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
        if not left:
            return []
        time.sleep(0.1)
    return left


@pytest.mark.slow
def test_a_killed_run_goes_on_and_leaves_no_actor(tmp_path):
    (tmp_path / "small.mm").write_text(PATH.read_text())
    run = tmp_path / "runs" / "killed"
    process = start(*COMMAND, folder=tmp_path, **NO_NICE)
    end = time.monotonic() + 120
    while logged(run) < 4:
        assert process.poll() is None and time.monotonic() < end, process.communicate()
        time.sleep(0.01)
    started = psutil.Process(process.pid).children(recursive=True)
    actors = [p for p in started if "ray::" in " ".join(p.cmdline())]
    assert len(actors) >= 4
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not gone(started, 30)
    begun = (run / "metrics.csv").read_text().splitlines()
    kept = max(int(re.findall(r"\d+", path.name)[0]) for path in (run / "checkpoints").iterdir())
    assert 2 <= kept < 20 and not (run / "result.json").exists()
    finish(start(*COMMAND, folder=tmp_path, **NO_NICE), tmp_path).ok()
    rows = (run / "metrics.csv").read_text().splitlines()
    assert [int(row.split(",")[0]) for row in rows[1:]] == list(range(1, 21))
    # what was done was not done again; later rows may have added columns
    assert [r.rstrip(",") for r in rows[1 : kept + 1]] == [r.rstrip(",") for r in begun[1 : kept + 1]]
    assert (run / "result.json").exists()
