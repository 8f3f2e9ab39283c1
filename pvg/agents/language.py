"""Language models as agents: a prover that says tokens and values them, a verifier that scores a whole solution."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor, nn

from pvg.errors import UserError

LEAST = -8.0  # log-probability as a verifier sees it: a single odd word must not outweigh all others


def texts(
    prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], device: str | torch.device = "cpu"
) -> TensorDict:
    """Prompts and their answers as one batch ``[n]``, padded at the right.

    Returns:
        ``tokens`` int64 ``[n, t]``, ``there`` bool ``[n, t]`` (no padding), ``start`` int64 ``[n]`` where the answer
        begins, ``answer`` int64 ``[n, a]`` and ``said`` bool ``[n, a]``, its tokens and which of them exist.
    """

    def pad(rows: Sequence[Sequence[int]]) -> Tensor:
        return nn.utils.rnn.pad_sequence([torch.tensor(r, dtype=torch.long) for r in rows], batch_first=True)

    def upto(counts: Sequence[int], width: int) -> Tensor:
        return torch.arange(width) < torch.tensor(counts).unsqueeze(-1)

    whole = [[*p, *a] for p, a in zip(prompts, answers, strict=True)]
    tokens, answer = pad(whole), pad(answers)
    found = {
        "tokens": tokens,
        "there": upto([len(w) for w in whole], tokens.shape[1]),
        "start": torch.tensor([len(p) for p in prompts]),
        "answer": answer,
        "said": upto([len(a) for a in answers], answer.shape[1]),
    }
    return TensorDict(found, [len(whole)]).to(device)


def trim(batch: TensorDictBase) -> TensorDict:
    """Rows of a batch, as :func:`texts` makes it, without the columns that are padding in all of them.

    What else the batch has of two dimensions or more goes with the answer's tokens.
    """
    long, wide = (int(batch[k].sum(-1).max()) for k in ("there", "said"))
    cut = {k: batch[k][:, :long] for k in ("tokens", "there")}
    cut |= {k: v[:, :wide] for k, v in batch.items() if k not in cut and v.ndim > 1}
    return TensorDict({**{k: v for k, v in batch.items() if v.ndim == 1}, **cut}, batch.batch_size)


def pieces(batch: TensorDictBase, size: int, device: str | torch.device) -> Iterator[TensorDict]:
    """Batches of at most ``size`` rows for one pass each, trimmed, and on a model's device."""
    return (trim(piece).to(device) for piece in batch.split(size))


@torch.no_grad()
def in_passes(
    of: Callable[[TensorDict], Tensor], batch: TensorDictBase, size: int | None, device: str | torch.device
) -> Tensor:
    """A figure of every answer ``[n]`` or token ``[n, a]`` of a batch, from passes of at most ``size`` rows."""
    found = [of(piece) for piece in pieces(batch, size or len(batch), device)]
    wide = batch["answer"].shape[1]
    return torch.cat([x if x.ndim == 1 else nn.functional.pad(x, (0, wide - x.shape[1])) for x in found])


class LanguageAgent(nn.Module):
    """A causal language model with one number a token beside it.

    Args:
        model: of transformers, perhaps with an adapter of ``peft`` in it.

    Batches are as :func:`texts` makes them, on the model's device.
    """

    def __init__(self, model: Any):
        super().__init__()
        self.model = model
        width = model.config.get_text_config().hidden_size
        self.head = nn.Linear(width, 1, device=model.device)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.head.weight.device

    @property
    def plain(self) -> Any:
        """The model without the wrapper that adapters bring."""
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model

    @torch.no_grad()
    def weights(self) -> Iterable[tuple[str, Tensor]]:
        """The model's weights by the names that it has without an adapter, this added in."""
        if self.plain is self.model:
            return list(self.model.state_dict().items())
        found = {n.replace(".base_layer", ""): w for n, w in self.plain.state_dict().items()}
        for name, layer in self.plain.named_modules():
            # beside the weights: to merge into them and out again leaves rounding errors behind, each time
            for adapter in getattr(layer, "lora_A", ()):
                found[f"{name}.weight"] = found[f"{name}.weight"] + layer.get_delta_weight(adapter)
        return [(n, w) for n, w in found.items() if ".lora_" not in n]

    def learned(self) -> dict[str, Tensor]:
        """What learning changes, by name: all parameters, or with adapters these and what is beside the model."""
        return {n: p.detach() for n, p in self.named_parameters() if p.requires_grad}

    @torch.no_grad()
    def restore(self, learned: Mapping[str, Tensor]) -> None:
        """Take over what :meth:`learned` gave.

        Raises:
            UserError: it is of another model, or of other adapters.
        """
        own = self.learned()
        odd = [n for n, x in own.items() if n not in learned or learned[n].shape != x.shape]
        if odd := odd + [n for n in learned if n not in own]:
            raise UserError(
                f"The checkpoint is not of these agents: {odd[0]} is missing, of another shape or not among what they "
                "learn. Give the settings of the run that wrote it (its folder holds the resolved config)."
            )
        for name, weight in own.items():
            weight.copy_(learned[name])

    @contextmanager
    def being(self, learned: Mapping[str, Tensor]) -> Iterator[None]:
        """For as long as it lasts the agent is what it was when :meth:`learned` gave this; nothing is copied."""
        now = {n: p for n, p in self.named_parameters() if p.requires_grad}
        kept = {n: p.data for n, p in now.items()}
        try:
            for name, weight in now.items():
                weight.data = learned[name]
            yield
        finally:
            for name, weight in now.items():
                weight.data = kept[name]

    def hidden(self, batch: TensorDictBase) -> Tensor:
        """Last hidden states ``[n, t, width]``.

        Padding is at the right, where no token looks: a mask would only cost time.
        """
        found = self.plain.get_decoder()(input_ids=batch["tokens"], use_cache=False).last_hidden_state
        return found.to(self.device)  # the last layers of a model that is spread may be elsewhere

    def logits(self, batch: TensorDictBase) -> Tensor:
        """Logits ``[n, a, vocabulary]`` of the answer's tokens."""
        return self._logits(self.hidden(batch), batch)

    def _logits(self, hidden: Tensor, batch: TensorDictBase) -> Tensor:
        return self.plain.get_output_embeddings()(_answers(hidden, batch, -1)).to(self.device).float()


class Prover(LanguageAgent):
    """Says answers; the number is the value of what has been said so far."""

    def forward(self, batch: TensorDictBase) -> tuple[Tensor, Tensor]:
        """Logits ``[n, a, vocabulary]`` of the answer's tokens, and the value ``[n, a]`` before each of them."""
        hidden = self.hidden(batch)
        value = self.head(_answers(hidden, batch, -1).float()).squeeze(-1)
        return self._logits(hidden, batch), value

    def log_probs(self, batch: TensorDictBase) -> Tensor:
        """Log-probability ``[n, a]`` of each token of the answers."""
        return log_probs_of(self.logits(batch), batch["answer"])


class Verifier(LanguageAgent):
    """Scores answers; the number is what each token adds.

    The score is a learned multiple of the mean, over the answer's tokens, of that number after the token and of the
    token's log-probability before it.  A model that can solve the problem expects the right solution: with the
    log-probabilities in view a small verifier tells right from wrong before it is trained on any example, where one
    that reads its last hidden state alone learns its examples by heart.
    """

    def __init__(self, model: Any):
        super().__init__(model)
        self.scale = nn.Parameter(torch.tensor(8.0, device=model.device))
        self.bias = nn.Parameter(torch.tensor(1.0, device=model.device))

    def forward(self, batch: TensorDictBase) -> Tensor:
        """Scores ``[n]``; above 0 is accepted."""
        hidden, said = self.hidden(batch), batch["said"]
        expected = log_probs_of(self._logits(hidden, batch), batch["answer"])
        added = self.head(_answers(hidden, batch, 0).float()).squeeze(-1)
        return reading(added, expected, said, self.scale, self.bias)


def reading(added: Tensor, expected: Tensor, said: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """What a verifier makes of texts ``[n]``: a multiple of the mean, over the tokens that count, of what each adds and
    of its log-probability, bounded below.

    Args:
        added, expected: the number after each token, and its log-probability before it, ``[n, t]``.
        said: which tokens count ``[n, t]``.
        scale, bias: the multiple, and what is added to it.
    """
    each = (added + expected.clamp(min=LEAST)) * said
    return bias + scale * each.sum(-1) / said.sum(-1).clamp(min=1)


def _answers(hidden: Tensor, batch: TensorDictBase, shift: int) -> Tensor:
    """The hidden states ``[n, a, width]`` at the answer's tokens, or ``shift`` places on."""
    at = batch["start"].unsqueeze(-1) + shift + torch.arange(batch["answer"].shape[1], device=hidden.device)
    at = at.clamp(max=hidden.shape[1] - 1)  # past the end of short answers, where nothing is said
    return hidden.gather(1, at.unsqueeze(-1).expand(-1, -1, hidden.shape[-1]))


def log_probs_of(logits: Tensor, tokens: Tensor) -> Tensor:
    """Log-probabilities ``[...]`` of tokens ``[...]``, of logits ``[..., vocabulary]``."""
    # not log_softmax and then gather: of a large vocabulary that is a second copy of the largest tensor there is
    return logits.gather(-1, tokens.unsqueeze(-1)).squeeze(-1) - logits.logsumexp(-1)
