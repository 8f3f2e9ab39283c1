"""The own sampling engine: one process, keys and values in slots, a new request in a slot as soon as one is free."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from pvg.envs.rules import mix
from pvg.errors import UserError
from pvg.language.decoder import Decoder
from pvg.language.engine import Counts, Engine, Request, Sample
from pvg.language.models import context_of, load, load_tokenizer

BLOCK = 16  # keys and values are looked at in steps of so many places


class TorchEngine(Engine):
    """Samples in slots that advance together; the default for small models.

    What a request draws depends on its seed alone: one uniform number a token is a hash of seed and position.

    Args:
        folder: of a Llama-like model and its tokenizer.
        slots: requests in work at once.
        refill: share of the slots that must be free before waiting requests are begun: prompts are read in batches,
            since a pass for each would cost as much as a step of all slots.
        check: steps between looks at what has ended; each is a synchronisation, which a GPU feels.
        device: where.
        dtype: ``float32`` or ``bfloat16``; None for the model's own.
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
        kind = getattr(torch, dtype) if dtype else torch.float32
        model = load(folder, kind)
        self.decoder = Decoder(model, device)
        self.device, self.context = self.decoder.device, context_of(model.config)
        self.end = load_tokenizer(folder).eos_token_id
        self.check = check or (1 if self.device.type == "cpu" else 8)
        self.refill = max(1, int(refill * slots))
        self.waiting: deque[tuple[Request, float]] = deque()
        self.busy: dict[
            int, tuple[Request, float, float, int]
        ] = {}  # slot: request, submitted, begun, version
        self.free = list(range(slots - 1, -1, -1))
        self.cache: Tensor | None = None
        self.seen = 0  # places of the texts in the slots, at most
        long, n = torch.long, slots
        self.token, self.at = (torch.zeros(n, dtype=long, device=self.device) for _ in range(2))
        self.start, self.stop = self.at.clone(), self.at.clone()
        self.seed = self.at.clone()
        self.heat = torch.ones(n, device=self.device)
        self.live = torch.zeros(n, dtype=torch.bool, device=self.device)
        self.out = torch.zeros(n, 0, dtype=long, device=self.device)
        self.said = torch.zeros(n, 0, device=self.device)

    # ------------------------------------------------------------------ Engine
    def submit(self, requests: Iterable[Request]) -> None:
        """See :class:`Engine`."""
        now = time.monotonic()
        for request in requests:
            if len(request.prompt) + request.most > self.context or not request.prompt:
                raise UserError(
                    f"A prompt of {len(request.prompt)} tokens and {request.most} new ones don't fit the model's "
                    f"context of {self.context}. Shorten the problems, lower the new tokens, or choose another model."
                )
            self.waiting.append((request, now))

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
        padded = _pad([torch.tensor(text) for text in texts]).to(self.device)
        logits = self.decoder.logits(self.decoder.prefill(padded)[:, :-1])
        found = logits.log_softmax(-1).gather(-1, padded[:, 1:, None]).squeeze(-1).tolist()
        return [row[: len(text) - 1] for row, text in zip(found, texts, strict=True)]

    def close(self) -> None:
        """See :class:`Engine`."""
        self.waiting.clear()
        self.busy.clear()
        self.cache = None

    # ------------------------------------------------------------------ parts
    def _begin(self) -> None:
        """Read the prompts of as many waiting requests as there are free slots, and draw their first tokens."""
        count, now = min(len(self.free), len(self.waiting)), time.monotonic()
        rows = [self.free.pop() for _ in range(count)]
        taken = [self.waiting.popleft() for _ in range(count)]
        for slot, (request, submitted) in zip(rows, taken, strict=True):
            self.busy[slot] = request, submitted, now, self.version
            self.counts.waits.append(now - submitted)
        self._make_room(max(len(r.prompt) + r.most for r, _ in taken), max(r.most for r, _ in taken))
        assert self.cache is not None
        slots = torch.tensor(rows, device=self.device)
        prompts = _pad([torch.tensor(r.prompt) for r, _ in taken]).to(self.device)
        table = [(len(r.prompt), r.most, r.seed) for r, _ in taken]
        length, most, seed = torch.tensor(table, device=self.device).unbind(1)
        hidden = self.decoder.prefill(prompts, self.cache, slots)
        last = hidden[torch.arange(count, device=self.device), length - 1]
        self.at[slots] = length - 1  # of the last token that has been read; the step after the draw moves on
        self.start[slots], self.stop[slots], self.seed[slots] = length, length + most, seed
        self.heat[slots] = torch.tensor([r.temperature for r, _ in taken], device=self.device)
        self.live[slots] = True
        self._draw(self.decoder.logits(last), slots)

    def _make_room(self, length: int, most: int) -> None:
        """Widen the cache and the output to what a new request needs."""
        if self.cache is None or length > self.cache.shape[-2]:
            room = min(-(-length // BLOCK) * BLOCK, -(-self.context // BLOCK) * BLOCK)
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
        if most > self.out.shape[1]:
            more = most - self.out.shape[1]
            self.out = torch.nn.functional.pad(self.out, (0, more))
            self.said = torch.nn.functional.pad(self.said, (0, more))

    def _step(self) -> None:
        """One more token in every busy slot."""
        self.counts.steps += 1
        self.counts.slots += self.capacity
        self.counts.busy += len(self.busy)
        seen = self.cache.shape[-2]  # type: ignore[union-attr]
        logits = self.decoder.step(self.token, self.at, self.cache, seen)  # type: ignore[arg-type]
        self._draw(logits)

    def _draw(self, logits: Tensor, slots: Tensor | None = None) -> None:
        """Draw the next token of all slots, or of some, by inverting the distribution at a hashed number."""

        def of(x: Tensor) -> Tensor:
            return x if slots is None else x[slots]

        heat, at = of(self.heat), of(self.at) + 1
        log_probs = logits.log_softmax(-1)
        weights = (logits / heat.clamp(min=1e-6).unsqueeze(-1)).double().softmax(-1).cumsum(-1)
        position = at - of(self.start)
        u = (mix(of(self.seed) * 1_000_003 + position, 1) >> 10).double() * 2.0**-53
        drawn = (weights < (u * weights[:, -1]).unsqueeze(-1)).sum(-1).clamp(max=logits.shape[-1] - 1)
        token = torch.where(heat > 0, drawn, logits.argmax(-1))
        said = log_probs.gather(-1, token.unsqueeze(-1)).squeeze(-1)
        live, rows = (
            of(self.live),
            torch.arange(self.capacity, device=self.device) if slots is None else slots,
        )
        column = position.clamp(0, self.out.shape[1] - 1)
        self.out[rows, column] = torch.where(live, token, self.out[rows, column])
        self.said[rows, column] = torch.where(live, said, self.said[rows, column])
        at = torch.where(live, at, of(self.at))
        going = live & (token != self.end) & (at + 1 < of(self.stop))
        if slots is None:
            self.token, self.at, self.live = torch.where(live, token, self.token), at, going
        else:
            self.token[slots], self.at[slots], self.live[slots] = token, at, going

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
            request, submitted, begun, version = self.busy.pop(slot)
            self.free.append(slot)
            self.counts.tokens += count
            done.append(
                Sample(
                    key=request.key,
                    tokens=words[:count],
                    log_probs=probs[:count],
                    ended=words[count - 1] == self.end,
                    version=version,
                    last_version=self.version,
                    waited=begun - submitted,
                    seconds=now - begun,
                )
            )
        self.at[rows] = 0
        return done


def _pad(rows: Sequence[Tensor]) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True)
