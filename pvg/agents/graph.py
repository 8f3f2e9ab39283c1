"""``GraphNet``: graph isomorphism layers, and a small transformer that reads the exchange."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pvg.agents.transformer import TransformerLayer
from pvg.envs.graph_isomorphism import GraphIsomorphism
from pvg.errors import UserError


class GINLayer(nn.Module):
    """One graph isomorphism layer, sum aggregation (Xu et al. 2019, eq. 4.1), with a layer norm after it.

    The norm comes last, since before the network it would divide the degrees away.
    """

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(width, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, width), nn.LayerNorm(width)
        )

    def forward(self, h: Tensor, adjacency: Tensor) -> Tensor:
        """``h [g, n, width]``, ``adjacency [g, n, n]`` -> ``[g, n, width]``."""
        return self.mlp(torch.baddbmm(h, adjacency, h))


class GraphNet(nn.Module):
    """Reads a pair of marked graphs; answers, asks, decides and values, as its agent may.

    The GIN layers refine the nodes of each graph.  The transformer then reads the exchange: its tokens are the
    pair of graphs and every pair of nodes named (or still to be named), each made of what the GIN says of its
    part in A and of its part in B.  All attend to each other, so that what was said is weighed as a
    whole; what comes out at the token of the graphs goes to the heads.  The nodes themselves are no tokens: nobody
    spoke of them, and attention among all of them costs as much as the rest of the network together.

    Args:
        env: a :class:`~pvg.envs.graph_isomorphism.GraphIsomorphism`.
        name: the agent's group.
        layers: GIN layers, so rounds of colour refinement it can follow.
        width, hidden: of the node features, and of the layers' networks.
        transformer: transformer layers after them; 0 for none.
        heads: of their attention.
        walks: longest closed walks counted (random-walk structural encoding, Dwivedi et al. 2022, §2): what a
            node of a regular graph, where all look alike to any number of GIN layers, is known by; 0 for none.
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
        walks: int = 0,
    ):
        super().__init__()
        if walks == 1 or walks < 0:
            raise UserError(
                f"walks={walks}: the shortest closed walk has 2 steps; write 2 or more, or 0 for none."
            )
        self.scale: Tensor
        self.kind = env.kind(name)
        self.decides = name in env.protocol.deciders
        self.marks = env.mark_count(name)
        self.enter = nn.Linear(self.marks + env.known(name), width)
        self.walks = nn.Linear(walks - 1, width, bias=False) if walks else None
        self.gin = nn.ModuleList(GINLayer(width, hidden) for _ in range(layers))
        self.transformer = nn.ModuleList(TransformerLayer(width, heads, hidden) for _ in range(transformer))
        # a graph is the sum of its nodes: of about ten, whatever the widest of the table has
        scale = torch.ones(self.marks if transformer else 1, 1)
        scale[0] = 0.1
        self.register_buffer("scale", scale, persistent=False)
        if transformer:
            self.token = nn.Linear(3 * width, width)
            self.place = nn.Parameter(torch.randn(self.marks, width) * 0.1)
            last = nn.Linear(width, width)
            nn.init.zeros_(last.weight)  # at first graphs and nodes are judged by what they look like alone
            nn.init.zeros_(last.bias)
            self.tell = nn.Sequential(nn.LayerNorm(width), last)
        read = 4 * width if transformer else 3 * width
        self.value = nn.Sequential(nn.Linear(read, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, 1))
        if self.decides:
            self.decide = nn.Sequential(nn.Linear(read, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, 3))
        if self.kind in ("answer", "pair"):
            self.match, self.sharpness = nn.Linear(width, width), nn.Parameter(torch.tensor(4.0))
        elif self.kind == "ask":
            self.ask = nn.Linear(width, 1)

    def forward(self, view: dict[str, Tensor]) -> dict[str, Tensor]:
        """The view's ``adjacency [b, 2, n, n]``, ``marks [b, 2, k, n]``, ``known [b, f]`` and ``question [b]`` ->
        logits and value."""
        b, _, n, _ = view["adjacency"].shape
        marks, graphs = view["marks"].view(2 * b, -1, n), view["adjacency"].view(2 * b, n, n)
        h = self._enter(marks, view["known"])
        if self.walks is not None:
            encoding = closed_walks(view["adjacency"], view["marks"][:, :, 0], self.walks.in_features + 1)
            h = h + self.walks(encoding).flatten(0, 1)
        for layer in self.gin:
            h = h + layer(h, graphs)
        # features of each graph as a whole, and with a transformer of the nodes named: [b, parts, 3 width]
        parts = torch.bmm(marks if self.transformer else marks[:, :1], h) * self.scale
        pairs = compare(*parts.unflatten(0, (b, 2)).unbind(1))
        reading, said = pairs[:, 0], None
        if self.transformer:
            said = self._exchange(pairs)
            reading = torch.cat([reading, said], -1)
        out = {"value": self.value(reading)}
        if self.decides:
            out["decision"] = self.decide(reading)
        if self.kind != "silent":
            of_a, of_b = h.view(b, 2, n, -1).unbind(1)
            scores, missing = self._scores(
                of_a, of_b, said, marks.view(b, 2, -1, n)[:, :, 0] == 0, view["question"]
            )
            out["message"] = scores.masked_fill(missing, -1e9).view(b, 1, -1)
        return out

    def _enter(self, marks: Tensor, known: Tensor) -> Tensor:
        """First node features ``[2 b, n, width]``: a linear map of each node's marks and of what the agent knows."""
        weight: Tensor = self.enter.weight
        start: Tensor = self.enter.bias
        if known.shape[-1]:
            known = nn.functional.linear(known, weight[:, self.marks :], start)
            start = known.view(-1, 1, 1, len(weight)).expand(-1, 2, 1, -1).reshape(len(marks), 1, -1)
        return torch.baddbmm(start, marks.mT, weight[:, : self.marks].mT.expand(len(marks), -1, -1))

    def _exchange(self, pairs: Tensor) -> Tensor:
        """What the transformer makes of the graphs and the nodes named ``[b, k, 3 width]``: ``[b, width]``."""
        tokens = self.token(pairs) + self.place
        for block in self.transformer[:-1]:
            tokens = block(tokens)
        return self.tell(self.transformer[-1](tokens, first=1).squeeze(1))

    def _scores(
        self, of_a: Tensor, of_b: Tensor, said: Tensor | None, missing: Tensor, question: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Scores of the messages ``[b, i, j]`` for nodes of A and B, as far as they are to be named, and which
        of them name nodes that do not exist."""
        not_a, not_b = missing.unbind(1)
        if self.kind == "ask":
            scores = self.ask(of_a)
            if said is not None:
                scores = scores + of_a @ said.unsqueeze(-1)
            return scores.mT, not_a.unsqueeze(1)
        if self.kind == "answer":
            of_a = of_a.gather(1, question.view(-1, 1, 1).expand(-1, 1, of_a.shape[-1]))
            missing = not_b.unsqueeze(1)
        else:
            missing = not_a.unsqueeze(2) | not_b.unsqueeze(1)
        return self.likeness(of_a, of_b, said), missing

    def likeness(self, a: Tensor, b: Tensor, said: Tensor | None = None) -> Tensor:
        """How alike nodes look, ``[b, i, j]``: minus the squared distance of their features, at a learned scale.

        What was said ``[b, width]`` weighs the features; nodes that are alike in all of them stay the most alike.
        """
        gap = self.match(a).unsqueeze(2) - self.match(b).unsqueeze(1)
        if said is not None:
            gap = gap * (1 + said).unsqueeze(1).unsqueeze(1)
        return gap.square().sum(-1) * (self.sharpness.exp() / -(gap.shape[-1] ** 0.5))


def compare(a: Tensor, b: Tensor) -> Tensor:
    """Features of two things as one: how far apart they are, whether they are equal, and what they are.

    What fits differs by exactly nothing and what does not by however little, so all but the least gap counts
    about the same: a verifier that weighs gaps by their size learns to forgive small ones, and a prover finds them.
    """
    gap = (a - b).abs()
    return torch.cat([gap, gap / (gap + 3e-4), a + b], -1)


def closed_walks(adjacency: Tensor, exists: Tensor, longest: int) -> Tensor:
    """How likely a random walk is back at its start after 2, 3, … steps, against the other nodes of the pair.

    Args:
        adjacency: ``[b, 2, n, n]``.
        exists: 1 at nodes that are not padding, ``[b, 2, n]``.
        longest: steps of the longest walk.

    Returns:
        ``[b, 2, n, longest - 1]``, with mean 0 and deviation 1 over all the nodes of both graphs.
    """
    step = adjacency / adjacency.sum(-1, keepdim=True).clamp(min=1)
    reached, back = step, []
    for _ in range(longest - 1):
        reached = reached @ step
        back.append(reached.diagonal(dim1=-2, dim2=-1))
    here = exists.unsqueeze(-1)
    walks, count = torch.stack(back, -1) * here, here.sum((1, 2), keepdim=True)
    walks = (walks - walks.sum((1, 2), keepdim=True) / count) * here
    spread = (walks.square().sum((1, 2), keepdim=True) / count).sqrt()
    # long walks hardly differ, and by less than their rounding errors where all nodes are alike
    return walks / (spread + 1e-4)
