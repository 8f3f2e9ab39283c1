"""``python -m pvg.run`` for tests: every call is a process of its own.

Most of the time of a short one would be its imports.  So most are forked from a server that has done them, and then
do what ``python -m`` does; the fixture ``pvg`` is the one server of all tests.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
SERVER = """
import atexit, gc, json, os, runpy, signal, sys, traceback
import hydra, matplotlib.pyplot, torch
import pvg.adversarial_program, pvg.exchange_program, pvg.planning_program, pvg.rounds_program
import transformers.models.llama.modeling_llama
gc.freeze()
for line in sys.stdin:
    job = json.loads(line)
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
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
    print(child, flush=True)
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


def files(folder):
    """All below a folder, with what files hold."""
    return {str(p.relative_to(folder)): p.is_file() and p.read_bytes() for p in folder.rglob("*")}


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

    def complains(self, words):
        """It ended with one paragraph that has these words, and with no traceback."""
        assert self.code == 2, self
        assert not self.out and "Traceback" not in self.err
        # without what it was about to do, and what a library remarks
        said = [
            x for x in self.err.splitlines() if not x.endswith(" …") and not x.startswith("[transformers] ")
        ]
        assert said and said[0].startswith("pvg: ") and all(said), self.err
        paragraph = " ".join(said)
        assert len(paragraph.partition(" There are ")[0]) <= 600, (
            "too long, without the list of what there is"
        )
        assert words in paragraph and paragraph.rstrip(")'").endswith((".", "=VALUE", "resume=run")), (
            paragraph
        )

    @property
    def json(self):
        """The last line printed."""
        return json.loads(self.out.splitlines()[-1])


def environment(**changes):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("HYDRA", "WANDB"))}
    return clean | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"} | changes


class Program:
    """Runs the program in processes forked from one that has imported what it needs, one at a time."""

    def __init__(self, scratch):
        self.scratch, self.count = scratch, 0
        self.server = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments, folder=None):
        return self.begin(*arguments, folder=folder).finish()

    def begin(self, *arguments, folder=None):
        """A process to be stopped or killed, and then finished."""
        self.count += 1
        folder = folder or self.scratch / f"work-{self.count}"
        folder.mkdir(exist_ok=True)
        said = {name: str(self.scratch / f"{name}-{self.count}") for name in ("stdout", "stderr")}
        for path in said.values():
            Path(path).touch()
        job = said | {"folder": str(folder), "arguments": list(map(str, arguments))}
        self.server.stdin.write(json.dumps(job) + "\n")
        self.server.stdin.flush()
        return Process(int(self.server.stdout.readline()), self.server, folder, *map(Path, said.values()))

    def killed(self, *arguments, folder, rows):
        """Kill a process, the run in this folder, after it has logged so many iterations."""
        process = self.begin(*arguments, f"folder={folder.name}", folder=folder.parent)
        process.wait_for(lambda: logged(folder) > rows)
        assert process.stop(signal.SIGKILL).code == -signal.SIGKILL
        assert not (folder / "result.json").exists()

    def refuses(self, words, *arguments, folder=None):
        """It says in one paragraph with these words what is wrong, and has left nothing behind."""
        before = files(folder) if folder else {}
        done = self(*arguments, folder=folder)
        done.complains(words)
        assert files(done.folder) == before

    def close(self):
        self.server.stdin.close()
        self.server.wait()


@dataclass
class Process:
    """A process of the server's: the head of a group of its own, as a terminal would have it."""

    pid: int
    server: subprocess.Popen
    folder: Path
    out: Path
    err: Path

    def wait_for(self, there, timeout=120):
        """Until this is so."""
        end = time.monotonic() + timeout
        while not there():
            if time.monotonic() > end or not alive(self.pid):
                raise AssertionError(f"it never came: {self.stop(signal.SIGKILL)}")
            time.sleep(0.002)

    def stop(self, number):
        """Send the group a signal, and wait."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)
        return self.finish()

    def finish(self, timeout=300):
        if not select.select([self.server.stdout], [], [], timeout)[0]:
            os.killpg(self.pid, signal.SIGKILL)
            self.server.stdout.readline()
            raise AssertionError(
                f"it did not end in {timeout} s: {self.out.read_text()} {self.err.read_text()}"
            )
        code = int(self.server.stdout.readline())
        return Done(code, self.out.read_text(), self.err.read_text(), self.folder)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def start(*arguments, folder, launcher=(sys.executable, "-m"), **changes):
    """A process that is no child of the server: with its own launcher or environment."""
    command = [*launcher, "pvg.run", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, env=environment(**changes), start_new_session=True, **pipes)


def finish(process, folder, timeout=300):
    """Wait for such a process's end."""
    out, err = process.communicate(timeout=timeout)
    return Done(process.returncode, out, err, folder)


def logged(run):
    """The lines of a run's metrics, the head too."""
    metrics = run / "metrics.csv"
    return metrics.read_bytes().count(b"\n") if metrics.is_file() else 0
