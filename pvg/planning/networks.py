"""Policies that guide a search: a small network for grids, and that of Mnih et al. (2013) for pixels."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

from pvg.errors import UserError
from pvg.planning.simulator import POLICY, VALUE, State

HIDDEN = "hidden"  # where a state holds the units of a policy's layer that are active, bool [n, units]


class Policy(nn.Module):
    """A body of named layers, a linear layer for the actions, and perhaps another for a state's value.

    Args:
        layers: by name; the first takes the observation as it is, each of the others ends in a ReLU, and the last,
            ``hidden``, gives ``[n, units]``.
        units: of the last layer.
        actions: how many.
        observation: the key that is read.
        dynamic: the layer whose active units are what states are judged by, instead of the simulator's own features
            (Junyent, Jonsson and Gómez 2019, dynamic features, of the last one).
        value: guess also the return that follows.

    Raises:
        UserError: no such layer.
    """

    def __init__(
        self,
        layers: dict[str, nn.Module],
        units: int,
        actions: int,
        *,
        observation: str,
        dynamic: str | None = None,
        value: bool = False,
    ):
        super().__init__()
        names = [name for name in layers if name != "seen"]
        if dynamic is not None and dynamic not in names:
            raise UserError(
                f"network.dynamic={dynamic}: there is no such layer. There are {', '.join(names)}."
            )
        self.body, self.head = nn.Sequential(OrderedDict(layers)), nn.Linear(units, actions)
        self.value = nn.Linear(units, 1) if value else None
        if self.value is not None:  # which nothing is expected of before it has learned
            nn.init.zeros_(self.value.weight)
            nn.init.zeros_(self.value.bias)
        self.observation, self.dynamic = observation, dynamic

    def forward(self, observation: Tensor) -> Tensor:
        """Logits of the actions, ``[n, actions]``."""
        return self.head(self.body(observation))

    def both(self, observation: Tensor) -> tuple[Tensor, Tensor | None]:
        """Logits ``[n, actions]``, and values ``[n]`` if there is a head for them."""
        hidden = self.body(observation)
        return self.head(hidden), self.value(hidden).squeeze(1) if self.value is not None else None

    def tell(self, state: State) -> State:
        """What a search is to know of these states: logits, active units if dynamic, values if there are any."""
        told, seen = {}, state[self.observation]
        for name, layer in self.body.named_children():
            seen = layer(seen)
            if name == self.dynamic:
                told[HIDDEN] = seen.flatten(1) > 0
        told[POLICY] = self.head(seen)
        if self.value is not None:
            told[VALUE] = self.value(seen).squeeze(1)
        return told

    def active(self, state: State) -> Tensor:
        """The dynamic features of states that ``tell`` has told of."""
        return state[HIDDEN]


class GridNet(Policy):
    """Two layers, ``first`` and ``hidden``, on what is in each cell, one-hot.

    Args:
        shape: of the observation, ``(height, width)``, or any other.
        values: that a cell may have.
        actions: how many.
        width: of both layers.
        observation, dynamic, value: as of every policy.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        values: int,
        actions: int,
        *,
        width: int = 128,
        observation: str = "grid",
        dynamic: str | None = None,
        value: bool = False,
    ):
        if width < 1:
            raise UserError(f"network.width={width}: at least one unit is needed.")
        inputs = torch.Size(shape).numel() * values
        layers = {
            "seen": OneHot(values),
            "first": nn.Sequential(nn.Linear(inputs, width), nn.ReLU()),
            "hidden": nn.Sequential(nn.Linear(width, width), nn.ReLU()),
        }
        super().__init__(layers, width, actions, observation=observation, dynamic=dynamic, value=value)


class Mnih(Policy):
    """The convolutions of Mnih et al. (2013) on 84 x 84 pixels: 16 of 8 x 8, 32 of 4 x 4, and 256 units.

    The layers are ``conv1``, ``conv2`` and ``hidden``.

    Args:
        shape: of the observation: ``(frames, 84, 84)`` of pixels, or ``(height, width)`` of a grid, which is drawn
            in grey, cell by cell.
        values: of a pixel or a cell, how many.
        actions: how many.
        observation, dynamic, value: as of every policy.

    Raises:
        UserError: for an observation of another shape.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        values: int,
        actions: int,
        *,
        observation: str = "frames",
        dynamic: str | None = None,
        value: bool = False,
    ):
        if len(shape) != 2 and tuple(shape[1:]) != (84, 84):
            raise UserError(
                f"network.observation={observation}: the network of Mnih et al. looks at grids, or at frames of 84 x "
                f"84 pixels, and this is of shape {tuple(shape)}."
            )
        grid = len(shape) == 2
        layers = {
            "seen": Pixels(shape, values) if grid else Scaled(values),
            "conv1": nn.Sequential(nn.Conv2d(1 if grid else shape[0], 16, 8, 4), nn.ReLU()),
            "conv2": nn.Sequential(nn.Conv2d(16, 32, 4, 2), nn.ReLU()),
            "hidden": nn.Sequential(nn.Flatten(), nn.Linear(32 * 9 * 9, 256), nn.ReLU()),
        }
        super().__init__(layers, 256, actions, observation=observation, dynamic=dynamic, value=value)


class OneHot(nn.Module):
    """From integers ``[n, ...]`` to floats ``[n, all * values]``."""

    def __init__(self, values: int):
        super().__init__()
        self.register_buffer("eye", torch.eye(values), persistent=False)

    def forward(self, observation: Tensor) -> Tensor:
        """As the class says."""
        flat = observation.flatten(1)
        return self.eye.index_select(0, flat.flatten().int()).view(len(flat), -1)  # type: ignore[operator]


class Scaled(nn.Module):
    """From integers below ``values`` to floats from 0 to 1."""

    def __init__(self, values: int):
        super().__init__()
        self.values = values

    def forward(self, observation: Tensor) -> Tensor:
        """As the class says."""
        return observation.float() / (self.values - 1)


class Pixels(Scaled):
    """From grids ``[n, height, width]`` of ``values`` colours to grey pictures ``[n, 1, 84, 84]``."""

    def __init__(self, shape: tuple[int, ...], values: int):
        super().__init__(values)
        rows, columns = (torch.arange(84) * side // 84 for side in shape)
        self.register_buffer("rows", rows, persistent=False)
        self.register_buffer("columns", columns, persistent=False)

    def forward(self, observation: Tensor) -> Tensor:
        """As the class says."""
        grey = super().forward(observation)
        return grey.index_select(1, self.rows).index_select(2, self.columns).unsqueeze(1)  # type: ignore[arg-type]
