"""Engines as ``configs/engine`` names them: all knobs side by side, and another engine to fall back to."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints

from pvg.language.engine import Engine
from pvg.language.fallback import Fallback
from pvg.language.ray_engine import RayEngine
from pvg.language.sampler import TorchEngine
from pvg.language.vllm_async import AsyncVLLMEngine
from pvg.language.vllm_engine import VLLMEngine


def choice(kind: type[Engine], worker: type[Engine] | None = None) -> Callable[..., Fallback]:
    """A function with the arguments of ``kind``, of its workers, and ``fallback``: what makes the engine after it.

    Its signature says so, since configs are checked against signatures.
    """
    given_on = [] if worker is None else _arguments(worker)

    def make(folder: str | Path, fallback: Callable[..., Engine] | None = None, **knobs: Any) -> Fallback:
        if worker is not None:
            own = {p.name: knobs.pop(p.name) for p in given_on if p.name in knobs}
            knobs["worker"] = partial(worker, **own)
        return Fallback(folder, [partial(kind, **knobs), *([fallback] if fallback else [])])

    taken = [p for p in inspect.signature(make).parameters.values() if p.kind is not p.VAR_KEYWORD]
    taken += [p for p in _arguments(kind) if worker is None or p.name != "worker"] + given_on
    taken = [p.replace(kind=p.KEYWORD_ONLY) if p.name != "folder" else p for p in taken]
    hints = get_type_hints(make) | {p.name: p.annotation for p in taken[2:]}
    make.__signature__ = inspect.Signature(taken)  # type: ignore[attr-defined]
    make.__annotations__ = {p.name: hints[p.name] for p in taken}
    return make


def _arguments(kind: type[Engine]) -> list[inspect.Parameter]:
    hints = get_type_hints(kind.__init__)
    found = list(inspect.signature(kind).parameters.values())
    return [p.replace(annotation=hints[p.name]) for p in found if p.name != "folder"]


vllm = choice(VLLMEngine)
ray_vllm = choice(RayEngine, AsyncVLLMEngine)
ray_torch = choice(RayEngine, TorchEngine)
