"""MiniGrid's levels as a TorchRL environment whose state is its TensorDict, for those who have levels there."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor
from torchrl.data import Binary, Bounded, Categorical, Composite, Unbounded
from torchrl.envs import EnvBase

from pvg.errors import UserError

OBJECTS, COLOURS, STATES = 11, 6, 4  # of MiniGrid's encoding; directions of the hero are states, too
HERO = 10
TILE = 8  # pixels, in pictures


class MiniGrid(EnvBase):
    """Games on one level of MiniGrid (Chevalier-Boisvert et al. 2023), seen from above and whole.

    Each step puts MiniGrid's own environment into the wanted state and lets it act: its rules hold as they are, at some
    tenths of a millisecond a step.  What stands on the grid, where the hero is, looks and what it carries is the state,
    with the steps so far, as rewards depend on them.  A level in which things move by chance, or that keeps more than
    that (a box that hides something), is no function of it.  A game that has ended stays as it is.

    Keys, for ``g`` games: ``grid`` uint8 ``[g, width, height, 3]``, MiniGrid's own encoding without the hero;
    ``place`` int64 ``[g, 3]``, column, row and direction; ``carried`` uint8 ``[g, 3]``; ``steps`` int64 ``[g]``;
    ``over`` uint8 ``[g]``; ``cells`` int64 ``[g, width * height + 1]``, what each cell shows (the hero and its
    direction among it) and what is carried, each as one number; ``action`` int64 ``[g]`` in the order of ``moves``;
    ``reward`` float ``[g, 1]``; ``done`` bool ``[g, 1]``.

    Args:
        level: its name in Gymnasium, as MiniGrid-DoorKey-8x8-v0.
        games: how many are played at once.
        seed: decides the level's map, where it is drawn.

    Raises:
        UserError: minigrid is missing, or has no such level.
    """

    any_batch = True  # of `_step`

    def __init__(
        self,
        level: str = "MiniGrid-DoorKey-5x5-v0",
        *,
        games: int = 1,
        seed: int = 0,
        device: str | torch.device = "cpu",
    ):
        if games < 1:
            raise UserError(f"env.games={games}: at least one game is needed.")
        super().__init__(device=device, batch_size=[games])
        self.games, self.level = games, _make(level)
        self.level.reset(seed=seed)
        if any(thing is not None and thing.contains is not None for thing in self.level.grid.grid):
            raise UserError(f"env.level={level}: its boxes hide things, which are not in the state.")
        self.moves = tuple(action.name for action in self.level.actions)
        self.start = self._state(0.0, False)
        self._make_specs()
        self.set_seed(seed)

    def _make_specs(self) -> None:
        g, device = self.games, self.device
        observations = {}
        for name, value in self._emit([self.start]).items():
            if name not in ("reward", "done", "terminated"):
                high = (
                    OBJECTS * COLOURS * STATES - 1 if name == "cells" else 255 if name != "steps" else 2**31
                )
                observations[name] = Bounded(0, high, (g, *value.shape[1:]), dtype=value.dtype, device=device)
        self.observation_spec = Composite(observations, shape=(g,), device=device)
        self.action_spec = Categorical(len(self.moves), (g,), dtype=torch.int64, device=device)
        self.reward_spec = Unbounded((g, 1), device=device)
        done = Binary(1, (g, 1), dtype=torch.bool, device=device)
        self.done_spec = Composite(done=done, terminated=done.clone(), shape=(g,), device=device)

    def _state(self, reward: float, over: bool) -> dict[str, Any]:
        """What the level's state is now."""
        level = self.level
        carried = level.carrying.encode() if level.carrying else (1, 0, 0)
        grid = level.grid.encode()
        shown = grid.copy()
        shown[tuple(level.agent_pos)] = HERO, 0, level.agent_dir
        codes = np.append(shown.reshape(-1, 3), [carried], axis=0).astype(np.int64)
        return {
            "grid": grid,
            "place": np.array([*level.agent_pos, level.agent_dir], np.int64),
            "carried": np.array(carried, np.uint8),
            "steps": np.int64(level.step_count),
            "over": np.uint8(over),
            "cells": (codes[:, 0] * COLOURS + codes[:, 1]) * STATES + codes[:, 2],
            "reward": np.float32(reward),
        }

    def _go_to(self, state: dict[str, np.ndarray]) -> None:
        """Put the level into a state."""
        from minigrid.core.grid import Grid
        from minigrid.core.world_object import WorldObj

        level = self.level
        level.grid = Grid.decode(state["grid"])[0]
        *place, level.agent_dir = state["place"].tolist()
        level.agent_pos = tuple(place)
        level.carrying = WorldObj.decode(*state["carried"].tolist())
        if level.carrying:
            level.carrying.cur_pos = np.array([-1, -1])
        level.step_count = int(state["steps"])

    def _reset(self, tensordict: TensorDictBase | None = None, **kwargs) -> TensorDict:
        return self._emit([self.start] * self.games).exclude("reward")

    def _step(self, tensordict: TensorDictBase) -> TensorDict:
        names = ("grid", "place", "carried", "steps", "over")
        given = {name: tensordict[name].numpy(force=True) for name in names}
        found = []
        for k, action in enumerate(tensordict["action"].tolist()):
            self._go_to({name: value[k] for name, value in given.items()})
            if given["over"][k]:
                found.append(self._state(0.0, True))
                continue
            _, reward, ended, cut, _ = self.level.step(action)
            found.append(self._state(float(reward), ended or cut))
        return self._emit(found)

    def _emit(self, states: list[dict[str, Any]]) -> TensorDict:
        made = {k: torch.from_numpy(np.stack([s[k] for s in states])).to(self.device) for k in states[0]}
        done = made["over"].bool().unsqueeze(-1)
        made |= {"reward": made["reward"].unsqueeze(-1), "done": done, "terminated": done.clone()}
        return TensorDict(made, [len(states)], device=self.device)

    def draw(self, state: dict[str, Tensor]) -> Tensor:
        """Pictures of these states: uint8 ``[n, 8 * height, 8 * width, 3]``."""
        pictures = []
        for k in range(len(state["steps"])):
            self._go_to({name: value[k].numpy(force=True) for name, value in state.items()})
            pictures.append(self.level.get_frame(highlight=False, tile_size=TILE))
        return torch.from_numpy(np.stack(pictures))

    def _set_seed(self, seed: int | None) -> None:
        """There is no chance in these games."""


def _make(level: str) -> Any:
    try:
        import gymnasium
        import minigrid  # its import registers the levels
    except ImportError:
        raise UserError("env=minigrid needs MiniGrid: pip install -e '.[minigrid]'.") from None
    del minigrid
    there = sorted(name for name in gymnasium.registry if name.startswith("MiniGrid-"))
    if level not in there:
        raise UserError(f"env.level={level}: there is no such level. There are {', '.join(there)}.")
    return gymnasium.make(level).unwrapped
