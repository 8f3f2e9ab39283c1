"""The own sampling engine: one process, keys and values in slots, a new request in a slot as soon as one is free."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from pvg.errors import UserError
from pvg.language.decoder import Decoder
from pvg.language.draws import draw
from pvg.language.engine import Counts, Engine, Request, Sample
from pvg.language.models import context_of, load, load_tokenizer, number_type
from pvg.language.refusals import check_lengths

BLOCK = 8  # the cache is a multiple of so many places wide
PROMPTS = (
    2048  # tokens of prompts that are read in one pass: what is computed of more doesn't fit a CPU's cache
)


class _Busy(NamedTuple):
    """What is in a slot."""

    request: Request
    submitted: float
    begun: float
    version: int


class TorchEngine(Engine):
    """Samples in slots that advance together; the default for small models.

    What a request draws depends on its seed alone, up to rounding: one uniform number a token is a hash of seed and
    place.

    Args:
        folder: of a Llama-like model and its tokenizer.
        slots: requests in work at once.
        refill: share of the slots that must be free before waiting requests are begun: prompts are read in batches,
            since a pass for each would cost as much as a step of all slots.
        check: steps between looks at what has ended; each is a synchronisation, which a GPU feels.
        device: where.
        dtype: ``float32``, ``bfloat16`` or ``float16``; None for float32.

    Raises:
        UserError: a model or knob that is no good; later on, no memory for so many slots.
    """

    def __init__(
        self,
        folder: str | Path,
        slots: int = 256,
        refill: float = 0.1,
        check: int | None = None,
        device: str = "cpu",
        dtype: str | None = None,
    ):
        if slots < 1:
            raise UserError(f"engine.slots={slots}: at least one is needed; 256 is usual.")
        self.capacity, self.version, self.counts = slots, 0, Counts()
        self.dtype = number_type(dtype or "float32", "engine.dtype")
        model = load(folder, self.dtype)
        self.decoder = Decoder(model, device)
        self.device, self.context = self.decoder.device, context_of(model.config)
        self.end = load_tokenizer(folder).eos_token_id
        self.check = check or (1 if self.device.type == "cpu" else 8)
        self.refill = max(1, int(refill * slots))
        self.waiting: deque[tuple[Request, float]] = deque()
        self.busy: dict[int, _Busy] = {}
        self.free = list(range(slots - 1, -1, -1))
        self.cache: Tensor | None = None

        def each(value: float, dtype: torch.dtype = torch.long) -> Tensor:
            return torch.full((slots,), value, dtype=dtype, device=self.device)

        self.every = torch.arange(slots, device=self.device)
        self.token, self.at = each(0), each(0)  # the token to be read next, and its place
        self.start, self.stop, self.seed = (
            each(0),
            each(0),
            each(0),
        )  # first place of the answer, first one after
        self.heat, self.live = each(1, torch.float32), each(False, torch.bool)
        # answers, and a column more: slots that have ended go on to write in the one after their answer
        self.out = torch.zeros(slots, 1, dtype=torch.long, device=self.device)
        self.said = torch.zeros(slots, 1, device=self.device)

    # ------------------------------------------------------------------ Engine
    def submit(self, requests: Iterable[Request]) -> None:
        """See :class:`Engine`."""
        requests, now = list(requests), time.monotonic()
        check_lengths(requests, self.context)
        self.waiting.extend((request, now) for request in requests)

    @torch.inference_mode()
    def poll(self, timeout: float | None = None) -> list[Sample]:
        """See :class:`Engine`."""
        begun = time.monotonic()
        done: list[Sample] = []
        while (self.waiting or self.busy) and not done:
            if self.waiting and (len(self.free) >= self.refill or not self.busy):
                self._begin()
            for _ in range(self.check):
                self._step()
            done = self._finished()
            if timeout is not None and time.monotonic() - begun > timeout:
                break
        self.counts.seconds += time.monotonic() - begun
        return done

    def load_weights(self, weights: Iterable[tuple[str, Tensor]], version: int) -> None:
        """See :class:`Engine`."""
        self.decoder.load(weights)
        self.version = version
        self.counts.syncs += 1

    @torch.inference_mode()
    def score(self, texts: Sequence[Sequence[int]]) -> list[list[float]]:
        """See :class:`Engine`."""
        found: list[list[float]] = []
        for first in range(0, len(texts), self.capacity):
            some = texts[first : first + self.capacity]
            padded = _pad(some).to(self.device)
            logits = self.decoder.logits(self.decoder.prefill(padded)[:, :-1])
            each = logits.log_softmax(-1).gather(-1, padded[:, 1:, None]).squeeze(-1).tolist()
            found += [row[: len(text) - 1] for row, text in zip(each, some, strict=True)]
        return found

    def close(self) -> None:
        """See :class:`Engine`."""
        self.waiting.clear()
        self.busy.clear()
        self.cache = None

    # ------------------------------------------------------------------ parts
    def _begin(self) -> None:
        """Read the prompts of as many waiting requests as there are free slots, and draw their first tokens."""
        now, taken = time.monotonic(), list(islice(self.waiting, len(self.free)))
        taken.sort(key=lambda each: len(each[0].prompt))  # prompts of like lengths need little padding
        asked = [request for request, _ in taken]
        self._make_room(max(len(r.prompt) + r.most for r in asked), max(r.most for r in asked))
        assert self.cache is not None
        slots = [self.free.pop() for _ in taken]
        for slot, (request, submitted) in zip(slots, taken, strict=True):
            self.waiting.popleft()
            self.busy[slot] = _Busy(request, submitted, now, self.version)
            self.counts.waits.append(now - submitted)
        rows = torch.tensor(slots, device=self.device)
        table = [(len(r.prompt), r.most, r.seed) for r in asked]
        length, most, seed = torch.tensor(table, device=self.device).unbind(1)
        last, size = [], max(1, PROMPTS // len(asked[-1].prompt))
        for first in range(0, len(asked), size):
            part = slice(first, first + size)
            prompts = _pad([r.prompt for r in asked[part]]).to(self.device)
            hidden = self.decoder.prefill(prompts, self.cache, rows[part])
            last.append(hidden[self.every[: len(hidden)], length[part] - 1])
        self.at[rows] = length - 1  # of the last token that has been read; the draw moves on
        self.start[rows], self.stop[rows], self.seed[rows] = length, length + most, seed
        self.heat[rows] = torch.tensor([float(r.temperature) for r in asked], device=self.device)
        self.live[rows] = True
        self._draw(self.decoder.logits(torch.cat(last)), rows)

    def _make_room(self, length: int, most: int) -> None:
        """Widen the cache and the output to what a new request needs."""
        if self.cache is None or length > self.cache.shape[-2]:
            room = -(-length // BLOCK) * BLOCK
            try:
                wider = self.decoder.cache(self.capacity, room)
            except RuntimeError as error:
                raise UserError(
                    f"engine.slots={self.capacity}: there is no memory for the keys and values of so many texts of "
                    f"{room} tokens ({str(error).splitlines()[0]}). Lower engine.slots."
                ) from None
            if self.cache is not None:
                wider[..., : self.cache.shape[-2], :] = self.cache
            self.cache = wider
        more = most + 1 - self.out.shape[1]
        if more > 0:
            self.out, self.said = (torch.nn.functional.pad(x, (0, more)) for x in (self.out, self.said))

    def _step(self) -> None:
        """One more token in every busy slot."""
        assert self.cache is not None
        self.counts.steps += 1
        self.counts.slots += self.capacity
        self._draw(self.decoder.step(self.token, self.at, self.cache), slice(None))

    def _draw(self, logits: Tensor, rows: Tensor | slice) -> None:
        """Draw the next token of some slots; those that have ended stay as they are."""
        live, place = self.live[rows], self.at[rows] + 1 - self.start[rows]
        token, said = draw(logits, self.seed[rows], place, self.heat[rows])
        self.out[self.every[rows], place], self.said[self.every[rows], place] = token, said
        self.token[rows] = token
        self.at[rows] += live
        self.live[rows] = live & (token != self.end) & (self.at[rows] + 1 < self.stop[rows])

    def _finished(self) -> list[Sample]:
        """Hand out what has ended, and free its slots."""
        ended = [slot for slot, live in enumerate(self.live.tolist()) if not live and slot in self.busy]
        if not ended:
            return []
        rows, now = torch.tensor(ended, device=self.device), time.monotonic()
        counts = (self.at[rows] + 1 - self.start[rows]).tolist()
        tokens, said = self.out[rows].tolist(), self.said[rows].tolist()
        done = []
        for slot, count, words, probs in zip(ended, counts, tokens, said, strict=True):
            was = self.busy.pop(slot)
            self.free.append(slot)
            self.counts.tokens += count
            self.counts.busy += count - 1  # the first token was drawn when the prompt was read
            done.append(
                Sample(
                    key=was.request.key,
                    tokens=words[:count],
                    log_probs=probs[:count],
                    ended=words[count - 1] == self.end,
                    version=was.version,
                    last_version=self.version,
                    waited=was.begun - was.submitted,
                    seconds=now - was.begun,
                )
            )
        self.at[rows] = self.start[rows] = 0
        return done


def _pad(rows: Sequence[Sequence[int]]) -> Tensor:
    """Rows as one tensor ``[n, t]``, padded at the right."""
    return torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
