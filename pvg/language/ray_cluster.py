"""Ray's own processes: a cluster that is there, or a local one that ends with this process, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

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

    Args:
        address: of a cluster, or ``auto``; None for a local one.

    Attributes:
        ray: the package.

    Raises:
        CannotStart: Ray is not installed, or does not start.
    """

    def __init__(self, address: str | None = None) -> None:
        for name, value in (ENVIRONMENT if address else ENVIRONMENT | LOOPBACK).items():
            os.environ.setdefault(name, value)
        self.ray: Any = require("ray", INSTALL)
        self.guard: subprocess.Popen | None = None
        self.owner = not self.ray.is_initialized()
        if not self.owner:
            return
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
        if not address:
            self.guard = _guard()

    def stop(self) -> None:
        """End or leave what was started or joined here."""
        if not self.owner:
            return
        self.owner = False
        self.ray.shutdown()
        if self.guard:
            self.guard.kill()
            self.guard.communicate()


def _guard() -> subprocess.Popen:
    import psutil

    ours = [p for p in psutil.Process().children(recursive=True) if "IDLE" not in p.name()]
    return subprocess.Popen(
        [sys.executable, "-c", GUARD, *(str(p.pid) for p in ours)],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is not for it
    )
