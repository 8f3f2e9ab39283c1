"""The forward pass of Llama-like models for sampling: one token a row, keys and values in slots.

``transformers`` makes some hundred Python calls and a handful of copies a token; at small models those are most of the
time.  Here a step is a few fused products over all slots, on the same weights, to the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding, linear, rms_norm, scaled_dot_product_attention, silu

from pvg.errors import UserError

# same blocks but for biases of the queries, keys and values, and norms of queries and keys
ARCHITECTURES = ("LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM")


class Decoder:
    """Weights of a Llama-like model (Touvron et al. 2023) and what they compute.

    Args:
        model: a causal language model of transformers; its weights are copied.

    Raises:
        UserError: it is of an architecture that this is not written for.
    """

    def __init__(self, model: Any, device: str | torch.device = "cpu", dtype: torch.dtype | None = None):
        config = model.config
        kind = type(model).__name__
        if kind not in ARCHITECTURES or (odd := _oddity(model)):
            raise UserError(
                f"engine: the own sampler is written for {', '.join(ARCHITECTURES)}, and this is {kind}"
                f"{f' with {odd}' if kind in ARCHITECTURES else ''}. Choose engine=transformers or engine=vllm."
            )
        self.device, self.dtype = torch.device(device), dtype or model.dtype
        self.layers, self.heads = config.num_hidden_layers, config.num_attention_heads
        self.kv_heads = config.num_key_value_heads
        self.head = getattr(config, "head_dim", None) or config.hidden_size // self.heads
        self.eps, self.vocabulary = config.rms_norm_eps, config.vocab_size
        rotary = model.model.rotary_emb
        angle = torch.arange(config.max_position_embeddings).float().outer(rotary.inv_freq.float().cpu())
        angle = torch.cat([angle, angle], -1)
        scale = rotary.attention_scaling
        self.cos = (angle.cos() * scale).to(self.device, self.dtype)
        self.sin = (angle.sin() * scale).to(self.device, self.dtype)
        self.shapes = {name: tuple(p.shape) for name, p in model.state_dict().items()}
        self.tied = bool(config.tie_word_embeddings)
        self.load(model.state_dict().items())

    def load(self, weights: Iterable[tuple[str, Tensor]]) -> None:
        """Take all weights, by the names of transformers; nothing changes unless all are there and fit.

        Raises:
            ValueError: a weight is missing, unknown or of another shape.
        """
        own = {name: w.detach().to(self.device, self.dtype) for name, w in weights}
        names = "model.embed_tokens.weight", "lm_head.weight"
        for name, other in (names, names[::-1]):  # tied weights may come under one of their names
            if self.tied and other in own:
                own.setdefault(name, own[other])
        wrong = [n for n in {*own, *self.shapes} if n not in own or self.shapes.get(n) != tuple(own[n].shape)]
        if wrong:
            raise ValueError(f"weights that are missing, unknown or of another shape: {sorted(wrong)[:4]}")
        self.embed = own[
            "model.embed_tokens.weight"
        ].clone()  # the trainer goes on to change its own in place
        self.unembed = self.embed if self.tied else own["lm_head.weight"].clone()
        self.norm = own["model.norm.weight"].clone()
        self.blocks = [self._block(own, f"model.layers.{i}.") for i in range(self.layers)]

    def _block(self, own: Mapping[str, Tensor], at: str) -> dict[str, Tensor | None]:
        """Copies of one block's weights, products of the same input in one."""

        def part(name: str) -> Tensor | None:
            return own[at + name].clone() if at + name in own else None

        qkv = [f"{at}self_attn.{x}_proj" for x in "qkv"]
        biased = f"{qkv[0]}.bias" in own
        return {
            "norm": part("input_layernorm.weight"),
            "qkv": torch.cat([own[f"{x}.weight"] for x in qkv]),
            "bias": torch.cat([own[f"{x}.bias"] for x in qkv]) if biased else None,
            "q_norm": part("self_attn.q_norm.weight"),
            "k_norm": part("self_attn.k_norm.weight"),
            "out": part("self_attn.o_proj.weight"),
            "norm2": part("post_attention_layernorm.weight"),
            "gate_up": torch.cat([own[f"{at}mlp.{x}_proj.weight"] for x in ("gate", "up")]),
            "down": part("mlp.down_proj.weight"),
        }

    # ------------------------------------------------------------------ passes
    def cache(self, slots: int, length: int) -> Tensor:
        """Room for keys and values: ``[layers, 2, slots, kv_heads, length, head]``."""
        size = self.layers, 2, slots, self.kv_heads, length, self.head
        return torch.zeros(size, device=self.device, dtype=self.dtype)

    def prefill(self, tokens: Tensor, cache: Tensor | None = None, rows: Tensor | None = None) -> Tensor:
        """Hidden states ``[n, t, width]`` of whole texts ``[n, t]``, padded at the right.

        Args:
            cache: where keys and values are put, at ``rows`` ``[n]`` of its slots.
        """
        t = tokens.shape[1]
        h, cos, sin = embedding(tokens, self.embed), self.cos[:t], self.sin[:t]
        for i, w in enumerate(self.blocks):
            q, k, v = self._qkv(h, w)
            q, k = _rotate(q, cos, sin), _rotate(k, cos, sin)
            if cache is not None:
                cache[i, 0, rows, :, :t] = k
                cache[i, 1, rows, :, :t] = v
            mixed = scaled_dot_product_attention(
                q, k, v, is_causal=True, enable_gqa=self.kv_heads < self.heads
            )
            h = self._rest(h, mixed.transpose(1, 2).flatten(2), w)
        return h

    def step(self, tokens: Tensor, at: Tensor, cache: Tensor) -> Tensor:
        """Logits ``[slots, vocabulary]`` after one more token in every slot.

        Args:
            tokens, at: the token ``[slots]`` and its position in its own text.
            cache: of :meth:`cache`; gets the token's keys and values.  All of it is looked at: on a CPU to leave out
                the end of every slot costs more than to read it.
        """
        seen = cache.shape[-2]
        h = embedding(tokens, self.embed).unsqueeze(1)
        cos, sin = self.cos[at].view(-1, 1, 1, self.head), self.sin[at].view(-1, 1, 1, self.head)
        places = torch.arange(seen, device=self.device)
        hidden = torch.zeros(len(at), 1, 1, seen, device=self.device, dtype=self.dtype)
        hidden.masked_fill_((places > at.unsqueeze(-1)).view(-1, 1, 1, seen), -torch.inf)
        slots = torch.arange(len(at), device=self.device)
        for i, w in enumerate(self.blocks):
            q, k, v = self._qkv(h, w)
            q, k = _rotate(q, cos, sin), _rotate(k, cos, sin)
            keys, values = cache[i, 0], cache[i, 1]
            keys[slots, :, at], values[slots, :, at] = k.squeeze(2), v.squeeze(2)
            mixed = scaled_dot_product_attention(
                q, keys, values, attn_mask=hidden, enable_gqa=self.kv_heads < self.heads
            )
            h = self._rest(h, mixed.transpose(1, 2).flatten(2), w)
        return self.logits(h.squeeze(1))

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits of hidden states ``[..., width]``, in float32."""
        return linear(rms_norm(hidden, self.norm.shape, self.norm, self.eps), self.unembed).float()

    # ------------------------------------------------------------------ parts of a block
    def _qkv(self, h: Tensor, w: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
        x = linear(rms_norm(h, w["norm"].shape, w["norm"], self.eps), w["qkv"], w["bias"])
        x = x.unflatten(-1, (-1, self.head)).transpose(1, 2)
        q, k, v = x.split([self.heads, self.kv_heads, self.kv_heads], 1)
        if w["q_norm"] is not None:
            q = rms_norm(q, w["q_norm"].shape, w["q_norm"], self.eps)
            k = rms_norm(k, w["k_norm"].shape, w["k_norm"], self.eps)
        return q, k, v

    def _rest(self, h: Tensor, mixed: Tensor, w: dict[str, Any]) -> Tensor:
        h = h + linear(mixed, w["out"])
        gate, up = linear(rms_norm(h, w["norm2"].shape, w["norm2"], self.eps), w["gate_up"]).chunk(2, -1)
        return h + linear(silu(gate) * up, w["down"])


def _oddity(model: Any) -> str | None:
    """What a model of a known architecture has that is not computed here."""
    config, rope = model.config, getattr(model.model.rotary_emb, "rope_type", "default")
    biases = [n for n in model.state_dict() if n.endswith((".o_proj.bias", "gate_proj.bias", "lm_head.bias"))]
    if getattr(config, "sliding_window", None):
        return f"sliding_window={config.sliding_window}"
    if config.hidden_act not in ("silu", "swish"):
        return f"hidden_act={config.hidden_act}"
    if rope in ("dynamic", "longrope"):  # angles that depend on how long the text is
        return f"rope_type={rope}"
    return f"a bias {biases[0]}" if biases else None


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions (Su et al. 2021), halves as transformers has them; ``x`` is ``[n, heads, t, head]``."""
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin
