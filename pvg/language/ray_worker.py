"""The side of a Ray worker: an engine behind calls, and how weights come to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from pvg.errors import explain
from pvg.language.engine import Counts, Engine, EngineFailed, Request, Sample


class Actor:
    """A worker's side: an engine, and calls that come one after the other."""

    engine: Engine | None = None
    why = "it has not been started"

    def start(
        self, make: Callable[..., Engine], folder: str, gpu_ids: list[int] | None
    ) -> tuple[int, int, torch.dtype]:
        if gpu_ids:
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, gpu_ids))
        try:
            self.engine = make(folder)
        except Exception as error:
            self.why = explain(error)
            raise
        return self.engine.capacity, getattr(self.engine, "context", 1 << 30), self.engine.dtype

    def work(self, requests: list[Request], seconds: float) -> tuple[list[Sample], Counts]:
        engine = self._engine()
        engine.submit(requests)
        samples = engine.poll(seconds)
        return samples, replace(engine.counts, waits=[], seconds=0.0, syncs=0)

    def load(self, weights: list[Packed], version: int) -> None:
        try:
            self._engine().load_weights((unpack(one) for one in weights), version)
        except Exception as error:  # nobody may wait for this call: with old weights it must not go on
            self.engine, self.why = None, f"it could not load weights: {explain(error)}"
            raise

    def score(self, texts: Sequence[Sequence[int]]) -> list[list[float]]:
        return self._engine().score(texts)

    def close(self) -> None:
        if self.engine is not None:
            self.engine.close()

    def _engine(self) -> Engine:
        if self.engine is None:
            raise EngineFailed(self.why)
        return self.engine


# A weight as bytes, which Ray's workers on one machine read from shared memory without a copy: numpy knows no bfloat16.
Packed = tuple[str, np.ndarray, torch.dtype, tuple[int, ...]]


def pack(name: str, tensor: Tensor) -> Packed:
    flat = tensor.detach().cpu().contiguous().view(-1)
    return name, flat.view(torch.uint8).numpy(), tensor.dtype, tuple(tensor.shape)


def unpack(packed: Packed) -> tuple[str, Tensor]:
    name, data, dtype, shape = packed
    return name, torch.from_numpy(data.copy()).view(dtype).view(shape)
