"""Atari emulators in other processes."""

from __future__ import annotations

import math
import multiprocessing
import traceback
from typing import Any

import numpy as np

from pvg.envs.atari_emulators import Emulators, Played, Rows


class Workers:
    """Emulators in other processes, each with its share of the rows; otherwise as ``Emulators``.

    Args:
        count: processes.
        how: as for ``Emulators``.
    """

    def __init__(self, count: int, rom: str, **how):
        context = multiprocessing.get_context("spawn")  # a fork may copy locks that another thread holds
        self.restored = self.skipped = 0
        self.pipes, self.processes = [], []
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, rom, how), daemon=True)
            process.start()
            theirs.close()
            self.pipes.append(ours)
            self.processes.append(process)
        self.start, self.moves, self.height = [self._receive(pipe) for pipe in self.pipes][-1]
        self._where: dict[bytes, int] = {}  # who has made the states of the last step

    def step(self, rows: Rows, action: np.ndarray) -> Played:
        """As of ``Emulators``; a row goes to the worker that has just come to its state, if its share is not full."""
        shares = self._share([machine.tobytes() for machine in rows["machine"]])
        busy = [(k, share) for k, share in enumerate(shares) if len(share)]
        for k, share in busy:
            self.pipes[k].send(({name: value[share] for name, value in rows.items()}, action[share]))
        told = [self._receive(self.pipes[k]) for k, _ in busy]
        order = np.argsort(np.concatenate([share for _, share in busy]))
        parts = [played for played, *_ in told]
        self.restored += sum(restored for _, restored, _ in told)
        self.skipped += sum(skipped for _, _, skipped in told)
        self._where = {m.tobytes(): k for (k, _), p in zip(busy, parts) for m in p.rows["machine"]}
        after = {name: np.concatenate([part.rows[name] for part in parts])[order] for name in self.start}
        reward, done = (np.concatenate(x)[order] for x in zip(*(part[1:] for part in parts)))
        return Played(after, reward, done)

    def _share(self, wanted: list[bytes]) -> list[np.ndarray]:
        """Which rows each worker gets, about equally many."""
        most = math.ceil(len(wanted) / len(self.pipes))
        shares: list[list[int]] = [[] for _ in self.pipes]
        left = []
        for row, state in enumerate(wanted):
            share = shares[self._where[state]] if state in self._where else None
            if share is None or len(share) == most:
                left.append(row)
            else:
                share.append(row)
        for row in left:
            min(shares, key=len).append(row)
        return [np.array(share, np.int64) for share in shares]

    def _receive(self, pipe: Any) -> Any:
        try:
            found = pipe.recv()
        except EOFError:
            raise RuntimeError(
                "A process that runs Atari emulators has ended; its own message is above."
            ) from None
        if isinstance(found, str):
            raise RuntimeError(f"A process that runs Atari emulators has failed:\n{found}")
        return found

    def close(self) -> None:
        """End the processes."""
        for pipe in self.pipes:
            pipe.close()  # which ends them
        for process in self.processes:
            process.join()
        self.pipes = []


def _work(pipe: Any, rom: str, how: dict[str, Any]) -> None:
    """What a worker does: answers until its pipe is closed."""
    try:
        emulators = Emulators(rom, **how)
        pipe.send((emulators.start, emulators.moves, emulators.height))
        while True:
            before = emulators.restored, emulators.skipped
            played = emulators.step(*pipe.recv())
            pipe.send((played, emulators.restored - before[0], emulators.skipped - before[1]))
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        pass  # nobody asks any more
    except Exception:
        pipe.send(traceback.format_exc())
