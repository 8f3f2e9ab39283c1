"""``GraphNet``: graph isomorphism layers and a small transformer over the nodes of two graphs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pvg.envs.graph_isomorphism import GraphIsomorphism
from pvg.errors import UserError


class GINLayer(nn.Module):
    """One graph isomorphism layer, sum aggregation (Xu et al. 2019, eq. 4.1), with a layer norm after it.

    The norm comes last, since before the network it would divide the degrees away.
    """

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width), nn.LayerNorm(width)
        )

    def forward(self, h: Tensor, adjacency: Tensor) -> Tensor:
        """``h [g, n, width]``, ``adjacency [g, n, n]`` -> ``[g, n, width]``."""
        return self.mlp(torch.baddbmm(h, adjacency, h))


class NodeTransformer(nn.Module):
    """A pre-norm transformer layer in which the nodes of both graphs attend to each other."""

    def __init__(self, width: int, heads: int, hidden: int):
        super().__init__()
        if width % heads:
            raise UserError(f"width={width} must be a multiple of heads={heads}.")
        self.heads = heads
        self.norm, self.qkv, self.out = (
            nn.LayerNorm(width),
            nn.Linear(width, 3 * width),
            nn.Linear(width, width),
        )
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width)
        )

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        """``h [b, t, width]``, ``mask [b, 1, 1, t]`` of what may be attended to."""
        b, t, w = h.shape
        q, k, v = self.qkv(self.norm(h)).view(b, t, 3, self.heads, w // self.heads).permute(2, 0, 3, 1, 4)
        seen = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        h = h + self.out(seen.transpose(1, 2).reshape(b, t, w))
        return h + self.mlp(h)


class GraphNet(nn.Module):
    """Reads a pair of marked graphs; answers, asks, decides and values, as its agent may.

    Args:
        env: a :class:`~pvg.envs.graph_isomorphism.GraphIsomorphism`.
        name: the agent's group.
        layers: GIN layers, so rounds of colour refinement it can follow.
        width, hidden: of the node features, and of the layers' networks.
        transformer: transformer layers after them; 0 for none.
        heads: of their attention.
    """

    def __init__(
        self,
        env: GraphIsomorphism,
        name: str,
        layers: int = 2,
        width: int = 32,
        hidden: int = 64,
        transformer: int = 0,
        heads: int = 2,
    ):
        super().__init__()
        self.kind = env.kind(name)
        self.decides = name in env.protocol.deciders
        self.enter = nn.Linear(env.mark_count(name) + env.known(name), width)
        self.gin = nn.ModuleList(GINLayer(width, hidden) for _ in range(layers))
        self.transformer = nn.ModuleList(NodeTransformer(width, heads, hidden) for _ in range(transformer))
        self.side = nn.Parameter(torch.randn(2, 1, width) * 0.1)
        self.value = nn.Sequential(nn.Linear(3 * width, hidden), nn.ReLU(), nn.Linear(hidden, 1))
        if self.decides:
            self.decide = nn.Sequential(nn.Linear(3 * width, hidden), nn.ReLU(), nn.Linear(hidden, 3))
        if self.kind in ("answer", "pair"):
            self.match, self.sharpness = nn.Linear(width, width), nn.Parameter(torch.zeros(()))
        elif self.kind == "ask":
            self.ask = nn.Linear(width, 1)

    def forward(self, view: dict[str, Tensor]) -> dict[str, Tensor]:
        """The view's ``adjacency [b, 2, n, n]``, ``nodes [b, 2, n]``, ``marks [b, 2, n, k]``, ``known [b, f]``,
        ``question [b]`` -> logits and value."""
        adjacency, nodes, marks, known = view["adjacency"], view["nodes"], view["marks"], view["known"]
        b, _, n, _ = adjacency.shape
        if known.shape[-1]:
            marks = torch.cat([marks, known[:, None, None].expand(-1, 2, n, -1)], -1)
        h = self.enter(marks).view(2 * b, n, -1)
        graphs = adjacency.view(2 * b, n, n)
        for layer in self.gin:
            h = h + layer(h, graphs)
        h = h.view(b, 2, n, -1)
        if self.transformer:
            h = (h + self.side).flatten(1, 2)
            mask = nodes.flatten(1).view(b, 1, 1, 2 * n)
            for block in self.transformer:
                h = block(h, mask)
            h = h.view(b, 2, n, -1)
        pooled = torch.einsum("bgn,bgnw->bgw", nodes.to(h.dtype), h) / n**0.5
        a, c = pooled.unbind(1)
        gap = (a - c).abs()
        # two graphs that fit differ by exactly nothing, others by however little: hence the logarithm
        gap = torch.cat([gap, (gap + 1e-3).log(), a + c], -1)
        out = {"value": self.value(gap)}
        if self.decides:
            out["decision"] = self.decide(gap)
        if self.kind == "answer":
            asked = view["question"].view(b, 1, 1).expand(-1, 1, h.shape[-1])
            scores = self.likeness(h[:, 0].gather(1, asked), h[:, 1])
        elif self.kind == "pair":
            scores = self.likeness(h[:, 0], h[:, 1])
        elif self.kind == "ask":
            scores = self.ask(h[:, 0]).mT
        else:
            return out
        allowed = nodes[:, 1].unsqueeze(1) if self.kind == "answer" else nodes[:, 0].unsqueeze(1)
        if self.kind == "pair":
            allowed = nodes[:, 0].unsqueeze(2) & nodes[:, 1].unsqueeze(1)
        out["message"] = scores.masked_fill(~allowed, -1e9).flatten(1).unsqueeze(1)
        return out

    def likeness(self, a: Tensor, b: Tensor) -> Tensor:
        """How alike nodes look, ``[b, i, j]``: minus the squared distance of their features, at a learned scale."""
        a, b = self.match(a), self.match(b)
        gap = a.square().sum(-1).unsqueeze(2) + b.square().sum(-1).unsqueeze(1) - 2 * a @ b.mT
        return -gap * self.sharpness.exp() / a.shape[-1] ** 0.5
