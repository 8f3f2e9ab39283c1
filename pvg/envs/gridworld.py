"""A gridworld of keys and doors, the test bed of width-based planning, with its levels as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor
from torchrl.data import Binary, Bounded, Categorical, Composite, Unbounded
from torchrl.envs import EnvBase

from pvg.errors import UserError

MOVES = {"stay": (0, 0), "up": (-1, 0), "right": (0, 1), "down": (1, 0), "left": (0, -1)}
COLOURS = ".WKDH"  # background, wall, key, door, hero: what a cell of an observation shows, by its number
PAINTS = (
    (247, 245, 240),
    (75, 85, 95),
    (233, 180, 40),
    (60, 130, 190),
    (200, 70, 60),
)  # of these, in pictures


@dataclass(frozen=True)
class Level:
    """A map, row by row: W wall, K key, D door, H where the hero starts; walls that ``block``, or else end the game."""

    rows: tuple[str, ...]
    moves: tuple[str, ...] = tuple(MOVES)
    block: bool = False


def _maze(changes: dict[int, str]) -> Level:
    rows = ["WWWWWWWWWW", "WD......KW", *["W........W"] * 6, "WH.......W", "WWWWWWWWWW"]
    return Level(tuple(changes.get(k, row) for k, row in enumerate(rows)))


# The levels of Junyent, Jonsson and Gómez (2019), smallest first; `near`, whose key is close by, and `xl` are ours.
_EMPTY, _WALL = "..........", "WWWWWWWWWW"
LEVELS = {
    "path": Level((*[_EMPTY] * 3, _WALL, "WDH.....KW", _WALL, *[_EMPTY] * 4), ("left", "right"), True),
    "near": Level(
        (
            _WALL,
            "WD.......W",
            *["W........W"] * 4,
            "W......K.W",
            "W.......HW",
            "W........W",
            _WALL,
        )
    ),
    "maze0": _maze({}),
    "maze1": _maze({6: "W..WWWW..W"}),
    "maze2": _maze({6: "W..WWWW..W", 3: "W.....WWWW"}),
    "maze3": _maze({6: "W..WWWW..W", 1: "WD.W....KW", 2: "W..W.....W", 3: "W..W..WWWW"}),
    "xl": Level(
        (
            "WWWWWWWWWWWWWWWWWWWW",
            "WD....W........W..KW",
            "W.....W........W...W",
            "W.....W...WW...W...W",
            "W.....W...WW...W...W",
            "W.........WW...W...W",
            "W.....W...WW.......W",
            "WWW.WWW...WW...WWWWW",
            "W.....W...WW.......W",
            "W.....WWWWWWWWWW...W",
            "W..................W",
            "W.....WWWWWWWWWW...W",
            "W.....W........W...W",
            "WH....W............W",
            "WWWWWWWWWWWWWWWWWWWW",
        )
    ),
}


class Gridworld(EnvBase):
    """Games in which a hero fetches a key and carries it to the door, as a TorchRL environment.

    A game ends with reward 1 when the hero reaches the door with the key, and with -1 when it walks into a wall of a
    level whose walls do not block.  The door can be passed without the key, to no effect; the key goes with the hero
    who reaches it, which shows only in its cell being empty.  Both are of the environments that Junyent, Jonsson and
    Gómez (2019, arXiv 1904.07091) plan in.  A game that has ended stays as it is.

    Everything that can happen is a table over positions with and without the key, so a step is a few look-ups.  All
    state is in the TensorDict (``cell``), there is no chance, and ``_step`` takes any number of games.

    Keys, for ``g`` games: ``cell`` int64 ``[g]``, the position, and beyond the map's size if the key is carried;
    ``grid`` uint8 ``[g, height, width]`` with the colours 0 background, 1 wall, 2 key, 3 door, 4 hero;
    ``action`` int64 ``[g]`` in the order of ``moves``; ``reward`` float ``[g, 1]``; ``done`` bool ``[g, 1]``.

    Args:
        level: a name among ``LEVELS``, or the rows of a map of your own.
        games: how many are played at once.
        block: whether walls block, for a map of your own; otherwise they end the game.
        seed: there is no chance to be decided; TorchRL asks for one.

    Raises:
        UserError: an unknown level, or a map with other than one hero, key and door, or with an open border.
    """

    any_batch = True  # of `_step`

    def __init__(
        self,
        level: str | Sequence[str] = "maze0",
        *,
        games: int = 64,
        block: bool = False,
        seed: int = 0,
        device: str | torch.device = "cpu",
    ):
        if games < 1:
            raise UserError(f"env.games={games}: at least one game is needed.")
        super().__init__(device=device, batch_size=[games])
        if isinstance(level, str):
            if level not in LEVELS:
                raise UserError(f"env.level={level}: there is no such level. There are {', '.join(LEVELS)}.")
            self.level = LEVELS[level]
        else:
            self.level = Level(tuple(level), block=block)
        self.games, self.moves = games, self.level.moves
        self.height, self.width = len(self.level.rows), len(self.level.rows[0])
        self._tabulate()
        self._make_specs()
        self.set_seed(seed)

    def _tabulate(self) -> None:
        """What follows each cell and move, with and without the key, and what is seen there."""
        rows, area = self.level.rows, self.height * self.width
        flat = "".join(rows)
        wrong = [c for c in "HKD" if flat.count(c) != 1]
        if len(flat) != area or wrong or set(flat) - set(COLOURS):
            raise UserError(
                f"env.level: a map has rows of one length made of {COLOURS}, with one H, one K and one D; "
                f"this one has {', '.join(f'{flat.count(c)} {c}' for c in wrong) or 'other characters or lengths'}."
            )
        drawn = torch.tensor([COLOURS.index(c) for c in flat])
        self.start, key, door = (flat.index(c) for c in "HKD")
        states = torch.arange(2 * area)
        cell, holds = states % area, states >= area
        over = (drawn[cell] == COLOURS.index("W")) | ((cell == door) & holds)
        steps = torch.tensor([MOVES[move] for move in self.moves])
        row = (cell // self.width)[:, None] + steps[:, 0]
        column = (cell % self.width)[:, None] + steps[:, 1]
        inside = (row >= 0) & (row < self.height) & (column >= 0) & (column < self.width)
        there = torch.where(inside, row * self.width + column, cell[:, None])
        if self.level.block:
            there = torch.where(drawn[there] == COLOURS.index("W"), cell[:, None], there)
        after = there + area * (holds[:, None] | (there == key))
        after = torch.where(over[:, None], states[:, None], after)
        reward = torch.where(
            over[after], torch.where(drawn[after % area] == COLOURS.index("D"), 1.0, -1.0), 0.0
        )
        reward[over] = 0.0
        grid = drawn.repeat(2 * area, 1)
        grid[:, self.start] = 0
        grid[area:, key] = 0
        grid[states, cell] = COLOURS.index("H")
        self._after = after.flatten().to(self.device)
        self._reward = reward.flatten().to(self.device)
        self._over = over.to(self.device)
        self._grid = grid.to(torch.uint8).to(self.device)

    def _make_specs(self) -> None:
        g, device = self.games, self.device
        shape = (g, self.height, self.width)
        grid = Bounded(0, len(COLOURS) - 1, shape, dtype=torch.uint8, device=device)
        cell = Bounded(0, 2 * self.height * self.width - 1, (g,), dtype=torch.int64, device=device)
        done = Binary(1, (g, 1), dtype=torch.bool, device=device)
        self.observation_spec = Composite(grid=grid, cell=cell, shape=(g,), device=device)
        self.action_spec = Categorical(len(self.moves), (g,), dtype=torch.int64, device=device)
        self.reward_spec = Unbounded((g, 1), device=device)
        self.done_spec = Composite(done=done, terminated=done.clone(), shape=(g,), device=device)

    def see(self, cell: Tensor) -> Tensor:
        """What is seen in these states: uint8 ``[n, height, width]``."""
        return self._grid.index_select(0, cell).view(-1, self.height, self.width)

    def draw(self, state: dict[str, Tensor]) -> Tensor:
        """Pictures of these states: uint8 ``[n, 8 * height, 8 * width, 3]``."""
        paints = torch.tensor(PAINTS, dtype=torch.uint8, device=self.device)
        cells = paints[self.see(state["cell"]).long()]
        return cells.repeat_interleave(8, 1).repeat_interleave(8, 2)

    def _reset(self, tensordict: TensorDictBase | None = None, **kwargs) -> TensorDict:
        return self._emit(torch.full((self.games,), self.start, device=self.device))

    def _step(self, tensordict: TensorDictBase) -> TensorDict:
        edge = tensordict["cell"] * len(self.moves) + tensordict["action"]
        out = self._emit(self._after.index_select(0, edge))
        return out.set("reward", self._reward.index_select(0, edge).unsqueeze(-1))

    def _emit(self, cell: Tensor) -> TensorDict:
        over = self._over.index_select(0, cell).unsqueeze(-1)
        found = {"cell": cell, "grid": self.see(cell), "done": over, "terminated": over}
        return TensorDict._new_unsafe(found, torch.Size([len(cell)]), device=self.device)

    def _set_seed(self, seed: int | None) -> None:
        """There is no chance in these games."""
