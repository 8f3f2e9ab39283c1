"""Ray's own processes: a cluster that is there, or a local one that ends with this process, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any, ClassVar

from pvg.errors import explain
from pvg.language.refusals import CannotStart, require

INSTALL = "pip install -e '.[language]'"

# Unless the user has said otherwise.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # a worker without GPUs of Ray's choice has those we choose
}
# Despite its name, this is what has Ray's processes listen on the loopback address alone.
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}

TRIES = 3  # a local start gives up behind 30 s, which can be too few where much else runs

# Ray's processes end with the one that started them, but two of them take a minute over it if that was killed: they
# try to report. Reads until this process is gone, and knows processes by their start time too.
GUARD = """
import sys, psutil
known = [psutil.Process(int(pid)) for pid in sys.argv[1:] if psutil.pid_exists(int(pid))]
sys.stdin.read()
for process in known:
    try:
        process.kill()
    except psutil.Error:
        pass
"""


class Cluster:
    """Ray, started or joined; a context that this process is in already is used as it is, and left.

    What was started here is shared by all clusters of this process, and ends with the last of them.

    Args:
        address: of a cluster, or ``auto``; None for a local one.

    Attributes:
        ray: the package.

    Raises:
        CannotStart: Ray is not installed, or does not start.
    """

    users: ClassVar[int] = 0  # of Ray, in this process
    started: ClassVar[bool] = False  # whether one of them did that
    guard: ClassVar[subprocess.Popen | None] = None

    def __init__(self, address: str | None = None) -> None:
        for name, value in (ENVIRONMENT if address else ENVIRONMENT | LOOPBACK).items():
            os.environ.setdefault(name, value)
        self.ray: Any = require("ray", INSTALL)
        if not self.ray.is_initialized():
            self._start(address)
        self.open = True
        Cluster.users += 1

    def _start(self, address: str | None) -> None:
        if not address:
            from ray._private import ray_constants

            ray_constants.ENABLE_RAY_CLUSTER = (
                False  # read from the environment at import, which torchrl has done
            )
        where = dict(address=address) if address else dict(address="local", include_dashboard=False)
        for tries in reversed(range(1 if address else TRIES)):
            try:
                self.ray.init(**where, log_to_driver=False, logging_level="ERROR")  # Ray finds free ports
                break
            except Exception as error:  # of every kind
                self.ray.shutdown()
                if not tries:
                    raise CannotStart(f"Ray does not start ({explain(error)}).") from error
        Cluster.started = True
        if not address:
            Cluster.guard = _guard()

    def stop(self) -> None:
        """End or leave what was started or joined here, if nobody else uses it."""
        if not self.open:
            return
        self.open = False
        Cluster.users -= 1
        if Cluster.users or not Cluster.started:
            return
        Cluster.started = False
        self.ray.shutdown()
        if guard := Cluster.guard:
            Cluster.guard = None
            guard.kill()
            guard.communicate()


def _guard() -> subprocess.Popen:
    import psutil

    ours = [p for p in psutil.Process().children(recursive=True) if "IDLE" not in p.name()]
    return subprocess.Popen(
        [sys.executable, "-c", GUARD, *(str(p.pid) for p in ours)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is not for it
    )
