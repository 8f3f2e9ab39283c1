"""``TokenNet``: one small network for every place of a message, for scenarios whose messages are strings."""

from __future__ import annotations

import torch
from tensordict import TensorDict
from torch import Tensor, nn

from pvg.agents.transformer import TransformerLayer
from pvg.envs.exchange import ExchangeEnv


class TokenNet(nn.Module):
    """Reads ``flat [b, f]`` and ``tokens [b, length, f]``; speaks, decides and values, as its agent may.

    A scenario's view has ``flat``, features of the game, and may have ``tokens``, features of each place of
    a message (what was said there, what else belongs there).  The weights are shared over the places, so
    what works in one place is learned for all: that is what makes copying, or noticing a difference, learnable
    from a few lucky games.  A message as long as ``tokens`` is read off the places; any other off their maximum.

    An untrained network says and decides anything with equal probability.  A prover that knows the label and
    has an accent by chance gives it away; the verifier then learns the accent and not the proof, and the prover
    abuses that before either has seen a proof that works.

    Args:
        env: a scenario with such a view.
        name: the agent's group.
        width: of the features of a place.
        layers: residual layers on each place alone.
        attention: transformer layers in which the places attend to each other, after those.
        heads: of their attention.
        places: tell the places apart; without it they are a set.
    """

    def __init__(
        self,
        env: ExchangeEnv,
        name: str,
        width: int = 32,
        layers: int = 1,
        attention: int = 0,
        heads: int = 2,
        places: bool = True,
    ):
        super().__init__()
        view = _example(env, name)
        flat, tokens = view["flat"].shape[-1], view.get("tokens")
        vocabularies = env.vocabularies[name]
        self.decides = name in env.protocol.deciders
        self.said, self.vocabulary = len(vocabularies) - self.decides, max(vocabularies, default=1)
        self.from_flat = nn.Linear(flat, width) if flat else None
        self.from_tokens = None
        if tokens is not None and tokens.shape[-1]:
            self.from_tokens = nn.Linear(tokens.shape[-1], width)
            self.place = nn.Parameter(0.1 * torch.randn(tokens.shape[-2], width)) if places else None
        self.aligned = self.from_tokens is not None and tokens is not None and tokens.shape[-2] == self.said
        self.layers = nn.ModuleList(Residual(width) for _ in range(layers))
        self.attention = nn.ModuleList(TransformerLayer(width, heads, 2 * width) for _ in range(attention))
        self.norm = nn.LayerNorm(width)
        if self.said:
            self.speak = nn.Linear(width, self.vocabulary * (1 if self.aligned else self.said))
            nn.init.zeros_(self.speak.weight)
            nn.init.zeros_(self.speak.bias)
        last = nn.Linear(width, 1 + 3 * self.decides)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.judge = nn.Sequential(nn.Linear(width, width), nn.ReLU(), last)

    def forward(self, view: dict[str, Tensor]) -> dict[str, Tensor]:
        """The view -> ``message [b, said, vocabulary]``, ``decision [b, 3]`` and ``value [b, 1]``."""
        h = view["flat"].new_zeros(
            *view["flat"].shape[:-1], *self.norm.normalized_shape
        )  # all, if it sees nothing
        if self.from_tokens is not None:
            h = self.from_tokens(view["tokens"])
            h = h if self.place is None else h + self.place
        if self.from_flat is not None:
            flat = self.from_flat(view["flat"])
            h = h + (flat if self.from_tokens is None else flat.unsqueeze(-2))
        for layer in self.layers:
            h = layer(h)
        for block in self.attention:
            h = block(h)
        h = self.norm(h)
        whole = h if self.from_tokens is None else h.amax(-2)
        out = {}
        if self.said:
            logits = self.speak(h if self.aligned else whole)
            out["message"] = logits if self.aligned else logits.unflatten(-1, (self.said, self.vocabulary))
        judged = self.judge(whole)
        out["value"] = judged[..., :1]
        if self.decides:
            out["decision"] = judged[..., 1:]
        return out


class Residual(nn.Module):
    """A pre-norm residual layer."""

    def __init__(self, width: int):
        super().__init__()
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)
        )

    def forward(self, h: Tensor) -> Tensor:
        """``[..., width]``, each alone."""
        return h + self.mlp(h)


def _example(env: ExchangeEnv, name: str) -> dict[str, Tensor]:
    """The agent's view of one fresh game."""
    one = torch.zeros(1, dtype=torch.long, device=env.device)
    game = env.new_games(one, one)
    return env.view(name, TensorDict(env.observe(game, env.protocol.places(name)[0]), [1]))
