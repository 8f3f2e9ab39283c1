"""How fast databases are read and proofs verified: ``python -m benchmarks.formal [FILE.mm]``.

All figures are per CPU-second of one thread, the best of the repeats, for what else runs on a machine only slows.  The
embedded database is small; the written limit, 3,800 proofs/s with a proof's mean length of 230 steps, is for set.mm.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from pvg.formal.cache import load
from pvg.formal.prop import PATH
from pvg.formal.reader import read
from pvg.formal.verify import verify

Made = TypeVar("Made")


def timed(work: Callable[[], Made], repeats: int) -> tuple[Made, float]:
    """What some work makes, and the least CPU time that it took."""
    best = float("inf")
    for _ in range(repeats):
        gc.collect()
        start = time.process_time()
        made = work()
        best = min(best, time.process_time() - start)
    return made, best


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.formal", description=__doc__.split("\n\n")[0])
    parser.add_argument("file", nargs="?", type=Path, default=PATH, help="the embedded database by default")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    gc.disable()  # as `python -m pvg.formal.verify` does
    database, parse = timed(lambda: read(options.file), options.repeats)
    with TemporaryDirectory() as folder:
        load(options.file, folder)
        cached = timed(lambda: load(options.file, folder), options.repeats)[1]
    outcome, seconds = timed(lambda: verify(database), options.repeats)
    proofs = outcome.verified + len(outcome.incomplete) + len(outcome.failed)
    print(f"{options.file.name}: {proofs} proofs, {outcome.steps} steps; {len(outcome.failed)} fail")
    print(f"read in {parse:.2f} s, from the cache in {cached:.2f} s, verified in {seconds:.2f} s")
    found = {
        "file": options.file.name,
        "proofs_per_s": round(proofs / seconds),
        "steps_per_s": round(outcome.steps / seconds),
        "parse_s": round(parse, 3),
        "cached_s": round(cached, 3),
        "verify_s": round(seconds, 3),
        "proofs": proofs,
        "steps": outcome.steps,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    sys.exit(main())
