"""``Scorer``: a small network that scores candidate statements, for generators and provers."""

from __future__ import annotations

import numpy as np
import torch
from tensordict.nn import TensorDictModule
from torch import Tensor, nn

from pvg.envs.candidates import FEATURES
from pvg.envs.statements import Library
from pvg.envs.terms import POSITIONS
from pvg.errors import UserError

KEYS = ["candidates", "rules", "features", "mask", "nodes", "goal"]


class Scorer(nn.Module):
    """Scores each candidate by its statement, the goal, what is proved already and the assertion it cites.

    A statement is the sum of an embedding for each of its symbols and where in the tree it stands, through two layers.
    A batch has few different statements among its many candidates, so each is read once and then looked up.

    Args:
        library: whose numbers the inputs are.
        width: of embeddings.
        hidden: of the layer that compares.
        dropout: share of its units that are left out at random while it imitates; half of it for embeddings.
    """

    def __init__(self, library: Library, width: int = 48, hidden: int = 48, dropout: float = 0.3):
        for name, value in (("width", width), ("hidden", hidden)):
            if value < 1:
                raise UserError(f"{name}={value} of a scorer of theorems: write 1 or more.")
        if not 0 <= dropout < 1:
            raise UserError(f"dropout={dropout} of a scorer of theorems: write a share, from 0 to below 1.")
        super().__init__()
        self.library = library
        self.symbols = nn.EmbeddingBag(1 + library.vocabulary * POSITIONS, width, mode="sum", padding_idx=0)
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
        self.thin_symbols, self.thin = nn.Dropout(dropout / 2), nn.Dropout(dropout)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.query.weight)
        nn.init.zeros_(self.query.bias)

    def forward(
        self, candidates: Tensor, rules: Tensor, features: Tensor, mask: Tensor, nodes: Tensor, goal: Tensor
    ) -> Tensor:
        """Logits ``[b, c]`` of choices ``[b, c]``, -inf where the mask is False; see ``TheoremEnv`` for the rest."""
        row, column = mask.nonzero(as_tuple=True)  # most batches are far from full
        numbers, place = _unique(torch.cat([candidates[row, column], nodes.flatten(), goal]))
        codes = torch.from_numpy(self.library.codes(numbers)).to(goal.device)
        read = self.read(self.thin_symbols(self.symbols(codes)))
        at, of_nodes, of_goal = place.to(goal.device).split([len(row), nodes.numel(), len(goal)])
        live = (nodes > 0).unsqueeze(-1)
        proved = (read[of_nodes].view(*nodes.shape, -1) * live).sum(1) / live.sum(1).clamp(min=1)
        state = torch.cat([read[of_goal], proved], -1)
        similar = (self.query(state)[row] * self.key(read)[at]).sum(-1) / read.shape[1] ** 0.5
        rule, feature = self.rule(rules[row, column]), self.feature(features[row, column])
        h = self.candidate(read)[at] + rule + feature + self.context(state)[row]
        logits = torch.full(mask.shape, -torch.inf, device=goal.device)
        return logits.index_put((row, column), similar + self.out(self.thin(h.relu())).squeeze(-1))


def _unique(numbers: Tensor) -> tuple[np.ndarray, Tensor]:
    """Each number once, in the order of first occurrence, and where each of the given ones stands there.

    The order does not depend on the numbers, which another run may give to other statements.
    """
    values, first, place = np.unique(numbers.cpu().numpy(), return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return values[order], torch.from_numpy(rank[place])


def module(scorer: Scorer) -> TensorDictModule:
    """The scorer as a module on tensordicts, which leaves ``logits``."""
    return TensorDictModule(scorer, KEYS, ["logits"])
