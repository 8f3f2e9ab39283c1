"""What samples: the interface of every engine, what goes in and what comes out.

An engine holds a language model and answers requests in any order, as its own slots or batches fall free.  What a
request draws is decided by its own seed and not by what else is in the batch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor


class EngineFailed(Exception):
    """The engine can't go on: it did not start, its workers died too often, or its library raised."""


@dataclass(frozen=True)
class Request:
    """A prompt to go on from.

    Args:
        key: the caller's; unique among requests in flight.
        prompt: token ids, at least one.
        most: new tokens at most.
        seed: decides what is drawn.
        temperature: 0 for the likeliest token.  Reported log-probabilities are those of the model at temperature 1.
    """

    key: int
    prompt: tuple[int, ...]
    most: int
    seed: int = 0
    temperature: float = 1.0


@dataclass(frozen=True)
class Sample:
    """What a request drew.

    Attributes:
        key: of the request.
        tokens: the new ones, the end token last where it was drawn.
        log_probs: of each of them when it was drawn.
        ended: whether it ended by itself, and not at ``most`` tokens.
        version: of the weights that drew the first token; ``last_version`` of those that drew the last.
        worker: which of the engine's workers drew it, from 0.
        waited: seconds from submission until it was begun.
        seconds: from then to the end.
    """

    key: int
    tokens: list[int]
    log_probs: list[float]
    ended: bool
    version: int = 0
    last_version: int = 0
    worker: int = 0
    waited: float = 0.0
    seconds: float = 0.0


@dataclass
class Counts:
    """What an engine has done since it was made.

    Attributes:
        tokens: new tokens drawn.
        steps: batched passes of the model that draw one token a busy slot.
        busy, slots: slots that were busy, and that there were, summed over those steps; occupancy is their ratio.
        seconds: in which the engine was at work.
        waits: seconds that each request waited until it was begun.
        syncs: times that weights were loaded.
        restarts: workers that died and were made again.
        fallbacks: what was given up for what, in words.
    """

    tokens: int = 0
    steps: int = 0
    busy: int = 0
    slots: int = 0
    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    syncs: int = 0
    restarts: int = 0
    fallbacks: list[str] = field(default_factory=list)


class Engine(ABC):
    """Samples from one model.  Made from a folder with a model and its tokenizer, as ``transformers`` saves them.

    Attributes:
        capacity: requests that it can work on at once.
        version: of the weights it holds, as ``load_weights`` was told; 0 for those of the folder.
        counts: what it has done.
        dtype: of the numbers that it computes with.
    """

    capacity: int
    version: int
    counts: Counts
    dtype: torch.dtype = torch.float32

    @abstractmethod
    def submit(self, requests: Iterable[Request]) -> None:
        """Take requests; they wait in the engine, in order, until there is room.

        Raises:
            UserError: a request that is longer than the model's context.
            EngineFailed: see there; so may every method.
        """

    @abstractmethod
    def poll(self, timeout: float | None = None) -> list[Sample]:
        """Work, or wait for workers, until something is finished; hand out what is.

        Args:
            timeout: seconds after which to return with nothing; None for never.  Nothing is returned either when
                no request is in flight.
        """

    @abstractmethod
    def load_weights(self, weights: Iterable[tuple[str, Tensor]], version: int) -> None:
        """Take all weights of the model, by the names of ``transformers``; requests in flight go on with them."""

    @abstractmethod
    def score(self, texts: Sequence[Sequence[int]]) -> list[list[float]]:
        """Log-probability of each token but the first, given those before it; with no request in flight or with."""

    @abstractmethod
    def close(self) -> None:
        """End everything the engine has started; safe to call twice."""

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
