"""Engines in order of preference: when one fails, the next goes on with its requests."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pvg.language.engine import Counts, Engine, EngineFailed, Request, Sample
from pvg.language.totals import total


class Fallback(Engine):
    """Samples with the first of some engines that works.

    One that does not start, or fails later, is given up: the next takes the last weights and all requests in flight,
    from their beginnings, and by their seeds.  ``counts.fallbacks`` and stderr tell.

    Args:
        folder: of the model and its tokenizer.
        engines: what makes each, from a folder.

    Raises:
        UserError: an engine's argument can't be.
        EngineFailed: none of them works.
    """

    def __init__(self, folder: str | Path, engines: Sequence[Callable[..., Engine]]) -> None:
        self.folder = folder
        self.left = list(engines)
        self.flying: dict[int, Request] = {}
        self.weights: tuple[list[tuple[str, Tensor]], int] | None = None
        self.past = Counts()  # of engines that were given up
        self.engine: Engine | None = None
        self._start()

    # ------------------------------------------------------------------ Engine
    @property
    def capacity(self) -> int:  # type: ignore[override]
        """Of the engine that works."""
        return self._now.capacity

    @property
    def dtype(self) -> torch.dtype:  # type: ignore[override]
        """Of the engine that works."""
        return self._now.dtype

    @property
    def version(self) -> int:  # type: ignore[override]
        """Of the weights it holds."""
        return self._now.version

    @property
    def counts(self) -> Counts:  # type: ignore[override]
        """What all engines have done until now, those that were given up too."""
        return total(self.past, self.engine.counts) if self.engine else self.past

    def submit(self, requests: Iterable[Request]) -> None:
        """See :class:`Engine`."""
        new = {request.key: request for request in requests}
        self._try(lambda engine: engine.submit(new.values()))
        self.flying |= new

    def poll(self, timeout: float | None = None) -> list[Sample]:
        """See :class:`Engine`."""
        samples = self._try(lambda engine: engine.poll(timeout))
        for sample in samples:
            self.flying.pop(sample.key, None)
        return samples

    def load_weights(self, weights: Iterable[tuple[str, Tensor]], version: int) -> None:
        """See :class:`Engine`."""
        # a copy: the trainer goes on with its own, and the next engine may come at any time
        kept = [(name, tensor.detach().to("cpu", copy=True)) for name, tensor in weights] if self.left else []
        self.weights = kept, version
        try:
            self._now.load_weights(kept or weights, version)
        except EngineFailed as error:
            self._next(error)  # which loads them

    def score(self, texts: Sequence[Sequence[int]]) -> list[list[float]]:
        """See :class:`Engine`."""
        return self._try(lambda engine: engine.score(texts))

    @property
    def parts(self) -> list[_Part]:
        """Of the engine that works: what may hold other weights than the rest of it."""
        return [_Part(self, i) for i in range(len(_parts(self._now)))]

    def close(self) -> None:
        """See :class:`Engine`."""
        self.flying.clear()
        if self.engine:
            self.engine.close()

    # ------------------------------------------------------------------ parts
    @property
    def _now(self) -> Engine:
        if self.engine is None:
            raise EngineFailed("there is no engine left")
        return self.engine

    def _try(self, act: Callable[[Engine], Any]) -> Any:
        """Do it with the engine, or with the first of the next ones that can."""
        while True:
            try:
                return act(self._now)
            except EngineFailed as error:
                self._next(error)

    def _next(self, error: EngineFailed) -> None:
        """Give up the engine for the next, which gets all that this one had.

        Raises:
            EngineFailed: there is none.
        """
        failed, self.engine = self._now, None
        self.past = total(self.past, failed.counts)
        try:
            failed.close()
        except Exception as also:  # it is given up in any case
            print(f"pvg: {type(failed).__name__} did not close: {also}", file=sys.stderr)
        self._start(type(failed).__name__, error)

    def _start(self, failed: str = "", error: EngineFailed | None = None) -> None:
        while self.left:
            make = self.left.pop(0)
            name = _name(make)
            if error:
                said = f"{failed} was given up for {name}: {error}"
                self.past.fallbacks.append(said)
                print(f"pvg: {said}", file=sys.stderr)
            engine = None
            try:
                engine = make(self.folder)
                if self.weights:
                    engine.load_weights(iter(self.weights[0]), self.weights[1])
                engine.submit(self.flying.values())
                self.engine = engine
                return
            except EngineFailed as again:
                if engine:
                    engine.close()
                failed, error = name, again
        raise EngineFailed(f"{failed} failed, and there is no other engine: {error}") from error


class _Part:
    """A part of the engine that works; if that fails, of the next."""

    def __init__(self, engine: Fallback, place: int) -> None:
        self.engine, self.place = engine, place

    @property
    def dtype(self) -> torch.dtype:
        return self.engine.dtype

    def score(self, texts: Sequence[Sequence[int]]) -> list[list[float]]:
        """What this part says."""
        return self.engine._try(lambda engine: _parts(engine)[: self.place + 1][-1].score(texts))


def _parts(engine: Engine) -> list[Any]:
    return getattr(engine, "parts", [engine])


def _name(make: Callable[..., Engine]) -> str:
    while isinstance(make, partial):
        make = make.func
    return getattr(make, "__name__", str(make))
