"""The engine for any architecture: ``generate`` of transformers, in waves; what others fall back to."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pvg.errors import UserError
from pvg.language.draws import draw
from pvg.language.engine import Counts, Engine, Request, Sample
from pvg.language.models import context_of, load, load_tokenizer, number_type
from pvg.language.refusals import check_lengths


class TransformersEngine(Engine):
    """Samples in waves: as many requests as fit a batch are drawn to their ends, then the next ones.

    A wave lasts as long as its longest answer, so slots are idle where lengths differ; and a poll that has begun one
    ends with it, whatever its timeout.  What a request draws depends on its seed alone, and is what
    :class:`pvg.language.sampler.TorchEngine` draws for it, up to rounding.

    Args:
        folder: of a causal language model and its tokenizer, or its name on the hub.
        batch: requests in a wave at most.
        device: where.
        dtype: ``float32``, ``bfloat16`` or ``float16``.
    """

    def __init__(
        self, folder: str | Path, batch: int = 64, device: str = "cpu", dtype: str = "float32"
    ) -> None:
        from transformers import GenerationConfig

        if batch < 1:
            raise UserError(f"engine.batch={batch}: at least one is needed; 64 is usual.")
        self.capacity, self.version, self.counts = batch, 0, Counts()
        tokenizer = load_tokenizer(folder)
        self.end, self.pad = tokenizer.eos_token_id, tokenizer.pad_token_id
        self.dtype = number_type(dtype, "engine.dtype")
        self.model = load(folder, self.dtype, device)
        self.context = context_of(self.model.config)
        # the folder's own may cut or bend the distribution (top_k, repetition_penalty), and log-probabilities with it
        self.model.generation_config = GenerationConfig(do_sample=False, pad_token_id=self.pad)
        self.waiting: deque[tuple[Request, float]] = deque()

    def submit(self, requests: Iterable[Request]) -> None:
        """See :class:`Engine`."""
        requests = list(requests)
        check_lengths(requests, self.context)
        now = time.monotonic()
        self.waiting.extend((request, now) for request in requests)

    @torch.inference_mode()
    def poll(self, timeout: float | None = None) -> list[Sample]:
        """See :class:`Engine`."""
        begun = time.monotonic()
        taken = [self.waiting.popleft() for _ in range(min(self.capacity, len(self.waiting)))]
        if not taken:
            return []
        requests = [request for request, _ in taken]
        wave = self._generate(requests)
        ended = time.monotonic()
        self.counts.seconds += ended - begun
        self.counts.tokens += sum(map(len, wave.tokens))
        self.counts.steps += len(wave.busy)
        self.counts.busy += sum(wave.busy)
        self.counts.slots += len(wave.busy) * self.capacity
        self.counts.waits += [begun - submitted for _, submitted in taken]
        return [
            Sample(
                key=request.key,
                tokens=tokens,
                log_probs=log_probs,
                ended=tokens[-1] == self.end,
                version=self.version,
                last_version=self.version,
                waited=begun - submitted,
                seconds=ended - begun,
            )
            for (request, submitted), tokens, log_probs in zip(
                taken, wave.tokens, wave.log_probs, strict=True
            )
        ]

    def load_weights(self, weights: Iterable[tuple[str, Tensor]], version: int) -> None:
        """See :class:`Engine`.

        Raises:
            ValueError: a weight is missing, unknown or of another shape; then nothing has changed.
        """
        own, new = self.model.state_dict(), dict(weights)
        given = {own[name].data_ptr() for name in new if name in own}  # tied weights may come once
        wrong = [name for name in new if name not in own or own[name].shape != new[name].shape]
        wrong += [name for name, tensor in own.items() if name not in new and tensor.data_ptr() not in given]
        if wrong:
            raise ValueError(f"weights that are missing, unknown or of another shape: {sorted(wrong)[:4]}")
        with torch.no_grad():
            for name, tensor in new.items():
                own[name].copy_(tensor)
        self.version = version
        self.counts.syncs += 1

    @torch.inference_mode()
    def score(self, texts: Sequence[Sequence[int]]) -> list[list[float]]:
        """See :class:`Engine`."""
        found: list[list[float]] = []
        for at in range(0, len(texts), self.capacity):
            some = texts[at : at + self.capacity]
            tokens, there = _pad(some, self.pad, "right", self.model.device)
            logits = (
                self.model(input_ids=tokens, attention_mask=there, use_cache=False).logits[:, :-1].float()
            )
            each = logits.log_softmax(-1).gather(-1, tokens[:, 1:, None]).squeeze(-1).tolist()
            found += [row[: len(text) - 1] for row, text in zip(each, some, strict=True)]
        return found

    def close(self) -> None:
        """See :class:`Engine`."""
        self.waiting.clear()
        self.model = None

    def _generate(self, requests: Sequence[Request]) -> _Wave:
        wave = _Wave(requests, self.end, self.model.device)
        # positions count from the first token that is no padding, so it is at the left
        tokens, there = _pad([r.prompt for r in requests], self.pad, "left", self.model.device)
        try:
            self.model.generate(
                input_ids=tokens,
                attention_mask=there,
                max_new_tokens=int(wave.most.max()),
                logits_processor=[wave.choose],
                stopping_criteria=[wave.ended],
            )
        except torch.OutOfMemoryError as error:
            raise UserError(
                f"engine.batch={self.capacity}: there is no memory to draw so many answers at once "
                f"({str(error).splitlines()[0]}). Lower engine.batch."
            ) from error
        return wave


class _Wave:
    """Draws the tokens of a wave inside ``generate``, each row by its own seed, and keeps them."""

    def __init__(self, requests: Sequence[Request], end: int, device: Any):
        table = torch.tensor([(r.seed, r.most) for r in requests], device=device)
        self.seeds, self.most = table.unbind(1)
        self.temperatures = torch.tensor([float(r.temperature) for r in requests], device=device)
        self.end, self.place = end, 0
        self.live = torch.ones(len(requests), dtype=torch.bool, device=device)
        self.busy: list[int] = []  # rows that a token was drawn for, by step
        self.tokens: list[list[int]] = [[] for _ in requests]
        self.log_probs: list[list[float]] = [[] for _ in requests]

    def choose(self, _: Tensor, logits: Tensor) -> Tensor:
        """A logits processor: leaves each row the token that is drawn."""
        drawn, said = draw(logits.float(), self.seeds, self.place, self.temperatures)
        live = self.live.tolist()
        for row, (token, log_prob) in enumerate(zip(drawn.tolist(), said.tolist(), strict=True)):
            if live[row]:
                self.tokens[row].append(token)
                self.log_probs[row].append(log_prob)
        self.busy.append(sum(live))
        self.place += 1
        self.live &= (drawn != self.end) & (self.place < self.most)
        return torch.full_like(logits, -torch.inf).scatter(-1, drawn.unsqueeze(-1), 0.0)

    def ended(self, _: Tensor, __: Any) -> Tensor:
        """A stopping criterion: rows that have ended."""
        return ~self.live


def _pad(rows: Sequence[Sequence[int]], pad: int, side: str, device: Any) -> tuple[Tensor, Tensor]:
    """Rows as one tensor ``[n, t]``, and an int64 ``[n, t]`` that is 1 where there is no padding."""
    fill = torch.nn.utils.rnn.pad_sequence
    tokens = fill([torch.tensor(row) for row in rows], True, pad, side)
    there = fill([torch.ones(len(row), dtype=torch.long) for row in rows], True, 0, side)
    return tokens.to(device), there.to(device)
