"""Language models as agents: a prover that says tokens and values them, a verifier that scores a whole solution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor, nn


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
    """Rows of a batch without the columns that are padding in all of them."""
    long, wide = (int(batch[k].sum(-1).max()) for k in ("there", "said"))
    cut = {k: batch[k][:, :long] for k in ("tokens", "there")}
    cut |= {k: v[:, :wide] for k, v in batch.items() if k not in cut and v.ndim > 1}
    return TensorDict({**{k: v for k, v in batch.items() if v.ndim == 1}, **cut}, batch.batch_size)


class LanguageAgent(nn.Module):
    """A causal language model with one number a token beside it.

    Args:
        model: of transformers, perhaps with adapters of ``peft`` in it.
    """

    def __init__(self, model: Any):
        super().__init__()
        self.model = model
        width = model.config.get_text_config().hidden_size
        self.head = nn.Linear(width, 1, device=model.device)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    @property
    def plain(self) -> Any:
        """The model without the wrapper that adapters bring."""
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model

    def hidden(self, batch: TensorDictBase) -> Tensor:
        """Last hidden states ``[n, t, width]``."""
        body = self.plain.get_decoder()
        out = body(input_ids=batch["tokens"], attention_mask=batch["there"].long(), use_cache=False)
        return out.last_hidden_state


class Prover(LanguageAgent):
    """Says answers; the number is the value of what has been said so far."""

    def forward(self, batch: TensorDictBase) -> tuple[Tensor, Tensor]:
        """Logits ``[n, a, vocabulary]`` of the answer's tokens, and the value ``[n, a]`` before each of them."""
        before = batch["start"].unsqueeze(-1) - 1 + torch.arange(batch["answer"].shape[1], device=batch.device)
        hidden = self.hidden(batch)
        before = before.clamp(max=hidden.shape[1] - 1)  # past the end of short answers, where nothing is said
        hidden = hidden.gather(1, before.unsqueeze(-1).expand(-1, -1, hidden.shape[-1]))
        return self.plain.get_output_embeddings()(hidden).float(), self.head(hidden.float()).squeeze(-1)

    def log_probs(self, batch: TensorDictBase) -> Tensor:
        """Log-probability ``[n, a]`` of each token of the answers."""
        return self(batch)[0].log_softmax(-1).gather(-1, batch["answer"].unsqueeze(-1)).squeeze(-1)


class Verifier(LanguageAgent):
    """Scores whole texts; the number is read at the last token."""

    def forward(self, batch: TensorDictBase) -> Tensor:
        """Scores ``[n]``; above 0 is accepted."""
        last = batch["there"].sum(-1) - 1
        hidden = self.hidden(batch)[torch.arange(len(last), device=last.device), last]
        return self.head(hidden.float()).squeeze(-1)
