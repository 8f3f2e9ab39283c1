"""Policies that guide a search: a small network for grids, and that of Mnih et al. (2013) for pixels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pvg.errors import UserError
from pvg.planning.simulator import POLICY, State

HIDDEN = "hidden"  # where a state holds the policy's last hidden layer, bool [n, units]


class Policy(nn.Module):
    """A body, whose last layer is the hidden one, and a linear layer for the actions.

    Args:
        body: from ``[n, ...]`` to ``[n, units]``, ending in a ReLU.
        units: of the hidden layer.
        actions: how many.
        observation: the key that is read.
        dynamic: states are to be judged by which hidden units are active, and not by the simulator's own features
            (Junyent, Jonsson and Gómez 2019, dynamic features).
    """

    def __init__(self, body: nn.Module, units: int, actions: int, observation: str, dynamic: bool):
        super().__init__()
        self.body, self.head = body, nn.Linear(units, actions)
        self.observation, self.dynamic = observation, dynamic

    def forward(self, observation: Tensor) -> Tensor:
        """Logits of the actions, ``[n, actions]``."""
        return self.head(self.body(observation))

    def tell(self, state: State) -> State:
        """What a search is to know of these states: logits, and which hidden units are active if they are dynamic."""
        hidden = self.body(state[self.observation])
        told = {POLICY: self.head(hidden)}
        return told | {HIDDEN: hidden > 0} if self.dynamic else told

    def active(self, state: State) -> Tensor:
        """The dynamic features of states that ``tell`` has told of."""
        return state[HIDDEN]


class GridNet(Policy):
    """Two layers on what is in each cell, one-hot.

    Args:
        shape: of the observation, ``(height, width)``.
        colours: that a cell may have.
        actions: how many.
        width: of both layers.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        colours: int,
        actions: int,
        *,
        width: int = 128,
        observation: str = "grid",
        dynamic: bool = False,
    ):
        if width < 1:
            raise UserError(f"network.width={width}: at least one unit is needed.")
        cells = shape[0] * shape[1]
        body = nn.Sequential(
            OneHot(colours), nn.Linear(cells * colours, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        )
        super().__init__(body, width, actions, observation, dynamic)


class Mnih(Policy):
    """The convolutions of Mnih et al. (2013) on 84 x 84 pixels: 16 of 8 x 8, 32 of 4 x 4, and 256 units.

    Grids are drawn, cell by cell, in grey.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        colours: int,
        actions: int,
        *,
        observation: str = "grid",
        dynamic: bool = False,
    ):
        layers = [nn.Conv2d(1, 16, 8, 4), nn.ReLU(), nn.Conv2d(16, 32, 4, 2), nn.ReLU(), nn.Flatten()]
        body = nn.Sequential(Pixels(shape, colours), *layers, nn.Linear(32 * 9 * 9, 256), nn.ReLU())
        super().__init__(body, 256, actions, observation, dynamic)


class OneHot(nn.Module):
    """From integers ``[n, ...]`` to floats ``[n, all * values]``."""

    def __init__(self, values: int):
        super().__init__()
        self.register_buffer("eye", torch.eye(values), persistent=False)

    def forward(self, observation: Tensor) -> Tensor:
        """As the class says."""
        flat = observation.flatten(1)
        return self.eye.index_select(0, flat.flatten().int()).view(len(flat), -1)  # type: ignore[operator]


class Pixels(nn.Module):
    """From grids ``[n, height, width]`` of colours to grey pictures ``[n, 1, 84, 84]``."""

    def __init__(self, shape: tuple[int, ...], colours: int):
        super().__init__()
        self.colours = colours
        rows, columns = (torch.arange(84) * side // 84 for side in shape)
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("columns", columns, persistent=False)

    def forward(self, observation: Tensor) -> Tensor:
        """As the class says."""
        grey = observation.float() / (self.colours - 1)
        return grey.index_select(1, self.rows).index_select(2, self.columns).unsqueeze(1)  # type: ignore[arg-type]
