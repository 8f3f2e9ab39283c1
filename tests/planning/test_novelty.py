"""Novelty tables against dictionaries."""

import itertools

import pytest
import torch

from pvg.errors import UserError
from pvg.planning.novelty import Novelty


@pytest.mark.parametrize("shape", [(6, 3), (4, 0)])
@pytest.mark.parametrize("width", [1, 2])
def test_the_rule(shape, width):
    draw = torch.Generator().manual_seed(1)
    table, trees = Novelty(5, shape, width), 5
    seen = [{} for _ in range(trees)]
    told = set()
    for _ in range(120):
        which = torch.randperm(trees, generator=draw)[: int(torch.randint(1, 6, (), generator=draw))]
        if shape[1]:
            atoms = torch.randint(shape[1], (len(which), shape[0]), generator=draw)
        else:  # numbers of sparse atoms, all different, with some places empty
            atoms = torch.stack([torch.randperm(30, generator=draw)[: shape[0]] - 4 for _ in which]).clamp_(
                min=-1
            )
        depth = torch.randint(9, (len(which),), generator=draw, dtype=torch.int32)
        fresh = torch.rand(len(which), generator=draw) < 0.6
        novel, witness = table.visit(which, atoms, depth, fresh, fresh.nonzero().squeeze(1))
        for k, tree in enumerate(which.tolist()):
            row = list(enumerate(atoms[k].tolist())) if shape[1] else [a for a in atoms[k].tolist() if a >= 0]
            tuples = list(itertools.combinations(row, width))
            d, first = int(depth[k]), [seen[tree].get(t, 99) for t in tuples]
            expected = any(d < f or (d == f and not fresh[k]) for f in first)
            assert bool(novel[k]) == expected
            told.add((expected, bool(fresh[k])))
            if fresh[k]:
                seen[tree].update({t: min(d, f) for t, f in zip(tuples, first)})
            if expected:  # the witness stands for it
                assert table.depths[witness[k]] >= d
    assert len(told) == 4


def test_clear_and_wrong_width():
    table = Novelty(1, (3, 2))
    args = (torch.tensor([0]), torch.zeros(1, 3, dtype=torch.uint8), torch.tensor([2], dtype=torch.int32))
    new = (torch.tensor([True]), torch.tensor([0]))
    assert table.visit(*args, *new)[0] and not table.visit(*args, *new)[0]
    table.clear()
    assert table.visit(*args, *new)[0]
    with pytest.raises(UserError, match="width=3"):
        Novelty(1, (3, 2), 3)
