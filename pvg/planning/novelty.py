"""Novelty: how early the atoms of a state have been seen, or its pairs of atoms, in many trees at once."""

from __future__ import annotations

import torch
from torch import Tensor

from pvg.errors import UserError

NEVER = 2**31 - 1
HASHED = 1 << 16  # entries of a tree's table for sparse atoms
MOST = 1 << 28  # entries of all tables, of four bytes each


class Novelty:
    """For every tree and every tuple of ``width`` atoms the smallest depth at which a new node has had it.

    The rule of Rollout-IW (Bandres, Bonet and Geffner 2018): a new node is novel if some tuple of its atoms has been
    seen at greater depths only, or never; a node that is visited again is still novel if some tuple of its atoms has
    been seen at no smaller depth than its own.  New nodes, and only they, are entered: nodes kept from an earlier
    plan claim nothing.  In a breadth-first search, where depths only grow, the rule is that of IW (Lipovetzky and
    Geffner 2012): some tuple is there for the first time.

    The table is dense, ``[trees, tuples]``; if atoms are sparse, tuples share ``HASHED`` entries by their hash, and
    one that meets another's entry may be taken for seen.

    Args:
        trees: how many.
        shape: as of a simulator's atoms.
        width: 1 or 2.

    Raises:
        UserError: another width, or a table that is too large.
    """

    def __init__(
        self,
        trees: int,
        shape: tuple[int, int],
        width: int = 1,
        device: torch.device | str = "cpu",
    ):
        if width not in (1, 2):
            raise UserError(
                f"planner.width={width}: 1 and 2 can be searched; greater widths take too many tuples."
            )
        self.trees, self.width = trees, width
        features, self.values = shape
        if width == 2 and features < 2:
            raise UserError(
                "These features are one that takes many values at once, whose pairs are too many for a table: they "
                "are for planner=rollout_iw, pi_iw or iw, of width 1."
            )
        self.first, self.second = torch.triu_indices(features, features, 1, device=device)
        tuples = features if width == 1 else len(self.first)
        self.stride = tuples * self.values**width if self.values else HASHED
        if trees * self.stride > MOST:
            raise UserError(
                f"A table of novelty over {'pairs' if width == 2 else 'values'} of {features} features with "
                f"{self.values} values each, for {trees} trees, takes {4 * trees * self.stride / 2**30:,.0f} GiB, and "
                f"{4 * MOST / 2**30:.0f} is the most. Search with width 1 (planner=rollout_iw, pi_iw or iw), with "
                "fewer games, or choose features with fewer values."
            )
        self._offsets = torch.arange(tuples, device=device) * self.values**width
        self.none = trees * self.stride  # an entry that was seen before everything
        self.depths = torch.full((self.none + 1,), NEVER, dtype=torch.int32, device=device)
        self.clear()

    def clear(self) -> None:
        """Nothing has been seen."""
        self.depths.fill_(NEVER)
        self.depths[self.none] = -1

    def visit(
        self, trees: Tensor, atoms: Tensor, depth: Tensor, fresh: Tensor, new: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Judge one node in each of some trees, and enter the new ones.

        Args:
            trees: int64 ``[n]``, all different.
            atoms: ``[n, features]`` of the nodes.
            depth: int32 ``[n]``.
            fresh: bool ``[n]``, whether a node is new.
            new: the places where ``fresh`` is True.

        Returns:
            Whether the nodes are novel, bool ``[n]``, and a witness for it, int64 ``[n]``: the entry of a tuple by
            which they are.  As long as ``depths`` there is not below a node's depth, the node is still novel.
        """
        entries = self._entries(trees, atoms)
        seen = self.depths.index_select(0, entries.view(-1)).view_as(entries)
        latest, place = seen.max(1, keepdim=True)
        witness = entries.gather(1, place).squeeze(1)
        novel = depth + fresh <= latest.squeeze(1)
        if len(new):
            if len(new) < len(trees):
                entries, seen, depth = (x.index_select(0, new) for x in (entries, seen, depth))
            earliest = torch.minimum(seen, depth.unsqueeze(1))
            self.depths.scatter_(0, entries.view(-1), earliest.view(-1))
        return novel, witness

    def earliest(self, trees: Tensor, atoms: Tensor) -> Tensor:
        """The smallest depth at which each tuple of some nodes has been seen: int32 ``[n, tuples]``, or ``NEVER``."""
        entries = self._entries(trees, atoms)
        return self.depths.index_select(0, entries.view(-1)).view_as(entries)

    def _entries(self, trees: Tensor, atoms: Tensor) -> Tensor:
        """Where the tuples of some nodes are in the table: int64 ``[n, tuples]``."""
        values = atoms.long()
        base = (trees * self.stride).unsqueeze(1)
        if self.width == 1:
            found = values
        else:
            one, other = values.index_select(1, self.first), values.index_select(1, self.second)
            found = one * self.values + other if self.values else _mix(_mix(one) + other)
        if self.values:
            return (found + self._offsets).add_(base)
        none = values < 0 if self.width == 1 else (one < 0) | (other < 0)
        hashed = (_mix(found) >> 20) % HASHED
        return torch.where(none, self.none, base + hashed)


def _mix(x: Tensor) -> Tensor:
    """Spread integers over 63 bits (the multiplier of Knuth 1998, 3.3.4)."""
    x = x * 6364136223846793005 + 1442695040888963407
    return (x ^ (x >> 29)) & (2**63 - 1)
