"""``Scorer``: a small network that scores candidate statements, for generators and provers."""

from __future__ import annotations

import torch
from tensordict.nn import TensorDictModule
from torch import Tensor, nn

from pvg.envs.candidates import FEATURES
from pvg.envs.statements import POSITIONS, Library

KEYS = ["candidates", "rules", "features", "mask", "nodes", "goal"]


class Scorer(nn.Module):
    """Scores each candidate by its statement, the goal, what is proved already and the assertion it cites.

    A statement is the sum of an embedding for each of its symbols and where in the tree it stands, through two layers.
    A batch has few different statements among its many candidates, so each is read once and then looked up.

    Args:
        library: whose numbers the inputs are.
        width: of embeddings.
        hidden: of the layer that compares.
    """

    def __init__(self, library: Library, width: int = 48, hidden: int = 48):
        super().__init__()
        self.library = library
        self.symbols = nn.EmbeddingBag(
            1 + library.vocabulary * POSITIONS, width, mode="sum", padding_idx=0
        )
        nn.init.normal_(self.symbols.weight, std=0.3)
        self.read = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)
        )
        self.rule = nn.Embedding(len(library.rules) + 1, hidden)
        nn.init.normal_(self.rule.weight, std=0.1)
        self.candidate = nn.Linear(width, hidden)
        self.key = nn.Linear(width, width)
        self.query = nn.Linear(2 * width, width)
        self.context = nn.Linear(2 * width, hidden)
        self.feature = nn.Linear(FEATURES, hidden)
        self.out = nn.Linear(hidden, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.query.weight)
        nn.init.zeros_(self.query.bias)

    def forward(
        self, candidates: Tensor, rules: Tensor, features: Tensor, mask: Tensor, nodes: Tensor, goal: Tensor
    ) -> Tensor:
        """Logits ``[b, c]`` of choices ``[b, c]``, -inf where the mask is False; see ``TheoremEnv`` for the rest."""
        c = candidates.shape[1]
        used = int(mask.any(0).nonzero().max()) + 1  # most batches are far from full
        candidates, rules, features = candidates[:, :used], rules[:, :used], features[:, :used]
        numbers, place = torch.unique(
            torch.cat([candidates.flatten(), nodes.flatten(), goal]), return_inverse=True
        )
        codes = torch.from_numpy(self.library.codes[numbers.cpu().numpy()]).to(numbers.device).int()
        read = self.read(self.symbols(codes))
        at, of_nodes, of_goal = place.split([candidates.numel(), nodes.numel(), len(goal)])
        live = (nodes > 0).unsqueeze(-1)
        proved = (read[of_nodes].view(*nodes.shape, -1) * live).sum(1) / live.sum(1).clamp(min=1)
        state = torch.cat([read[of_goal], proved], -1)
        at = at.view(candidates.shape)
        similar = (self.query(state) @ self.key(read).T).gather(1, at) / read.shape[1] ** 0.5
        h = self.candidate(read)[at] + self.rule(rules) + self.feature(features) + self.context(state).unsqueeze(1)
        logits = similar + self.out(h.relu()).squeeze(-1)
        logits = logits.masked_fill(~mask[:, :used], -torch.inf)
        return nn.functional.pad(logits, (0, c - used), value=-torch.inf)


def module(scorer: Scorer) -> TensorDictModule:
    """The scorer as a module on tensordicts, which leaves ``logits``."""
    return TensorDictModule(scorer, KEYS, ["logits"])
