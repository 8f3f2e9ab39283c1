"""``python -m pvg.run`` for tests: every call is a process of its own.

Two seconds of each such process are imports.  So most are forked from a server that has done them, and then do
what ``python -m`` does.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
SERVER = """
import atexit, gc, json, os, runpy, sys, traceback
import hydra, matplotlib.pyplot, pvg.exchange_program, torch
for name in sys.argv[1:]:
    __import__(name)
gc.freeze()
for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if not child:
        os.chdir(job["folder"])
        for stream, name in (1, "stdout"), (2, "stderr"):
            os.dup2(os.open(job[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
        sys.argv = ["-m", *job["arguments"]]
        code = 0
        try:
            runpy.run_module("pvg.run", run_name="__main__", alter_sys=True)
        except SystemExit as exit:
            code = exit.code or 0
        except BaseException:
            code = traceback.print_exc() or 1
        atexit._run_exitfuncs()
        sys.stdout.flush()
        os._exit(code)  # to tear down what the parent has imported takes longer than most commands
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
# the least that shows everything; W&B, where a test wants it, is offline
TINY = (  # noqa: SIM905
    "env.slots=16 env.train=60 env.test=20 trainer.turns=1025 evaluation.every=1 evaluation.baselines=0.3 "
    "evaluation.attacks.fresh.turns=300 tracker=csv"
).split()


def choices(group):
    """The configs of a group, by name."""
    return sorted(path.stem for path in (ROOT / "configs" / group).glob("*.yaml"))


@dataclass
class Done:
    """What a process left."""

    code: int
    out: str
    err: str
    folder: Path

    def ok(self):
        assert self.code == 0, self.err
        return self

    @property
    def json(self):
        """The last line printed."""
        return json.loads(self.out.splitlines()[-1])


def environment(**changes):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("HYDRA", "WANDB"))}
    return clean | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"} | changes


class Program:
    """Runs the program in processes forked from one that has imported what it needs, ``modules`` too."""

    def __init__(self, scratch, *modules):
        self.scratch, self.count = scratch, 0
        self.server = subprocess.Popen(
            [sys.executable, "-c", SERVER, *modules],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments, folder=None):
        self.count += 1
        folder = folder or self.scratch / f"work-{self.count}"
        folder.mkdir(exist_ok=True)
        said = {name: str(self.scratch / f"{name}-{self.count}") for name in ("stdout", "stderr")}
        job = said | {"folder": str(folder), "arguments": list(map(str, arguments))}
        self.server.stdin.write(json.dumps(job) + "\n")
        self.server.stdin.flush()
        code = int(self.server.stdout.readline())
        return Done(code, Path(said["stdout"]).read_text(), Path(said["stderr"]).read_text(), folder)

    def close(self):
        self.server.stdin.close()
        self.server.wait()


def start(*arguments, folder, launcher=(sys.executable, "-m"), **changes):
    """A process of its own, to be stopped or killed: with its children in a group, as a terminal would have it."""
    command = [*launcher, "pvg.run", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, env=environment(**changes), start_new_session=True, **pipes)


def finish(process, folder, timeout=300):
    """Wait for a process's end."""
    out, err = process.communicate(timeout=timeout)
    return Done(process.returncode, out, err, folder)


def wait_for_rows(process, metrics, rows, timeout=120):
    """Until the run has logged so many iterations."""
    end = time.monotonic() + timeout
    while not metrics.is_file() or metrics.read_bytes().count(b"\n") <= rows:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end, "nothing happens"
        time.sleep(0.005)
