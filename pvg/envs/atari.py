"""Games of the Arcade Learning Environment, as a TorchRL environment whose state is its TensorDict."""

from __future__ import annotations

from typing import Any

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor
from torchrl.data import Binary, Bounded, Categorical, Composite, Unbounded
from torchrl.envs import EnvBase

from pvg.envs.atari_emulators import Emulators, Rows, Stepper, find_game
from pvg.envs.atari_screen import COLOURS, TILES
from pvg.envs.atari_workers import Workers
from pvg.errors import UserError


class Atari(EnvBase):
    """Many games of one Atari 2600 cartridge at once (Bellemare et al. 2013), without chance and without hidden state.

    An action lasts ``frameskip`` frames, and its reward is what the game's score gains in them, as it is.  There are
    no sticky actions, so what follows is a function of the state, all of which is in the TensorDict: ``_step`` goes
    on from any states, any number of them.  A game that is over stays as it is.

    The network's input is the last four frames *without* skipping (Junyent, Jonsson and Gómez 2019), so that they
    show movement: with ``frameskip=15``, frames 12 to 15 of the last action.  Before the first action all four are
    the game's first frame.  As the emulator does not save its screen, the frames are part of the state.

    Keys, for ``g`` games: ``machine`` uint8 ``[g, bytes]``, the emulator's saved state (some 8 kB); ``ram`` uint8
    ``[g, 128]``; ``lives`` int64 ``[g]`` (0 where the game has none); with ``frames``, ``frames`` uint8
    ``[g, 4, 84, 84]``, grey, oldest first; with ``tiles``, ``tiles`` int16 ``[g, 1024]``, the numbers
    ``(row * 16 + column) * 128 + colour`` of the colours that each of 14 × 16 tiles of the last frame shows, the first
    of them repeated to fill up; ``action`` int64 ``[g]`` in the order of ``moves``, those the game uses; ``reward``
    float ``[g, 1]``; ``done`` bool ``[g, 1]``.

    Args:
        game: its name, as Pong or MsPacman.
        games: how many are played at once.
        frameskip: frames an action lasts.
        frames: emit the last four frames, which costs about a fifth of a step of Pong.
        tiles: emit the tiles' colours.
        workers: processes that run the emulators; with 0 or 1 they run in this one.
        emulators: that each process keeps, at most; what is searched from more places than that is restored more
            often.
        seed: there is no chance to be decided; TorchRL asks for one.

    Raises:
        UserError: an unknown game, ale-py missing, or a number that is too small.
    """

    any_batch = True  # of `_step`

    def __init__(
        self,
        game: str = "Pong",
        *,
        games: int = 1,
        frameskip: int = 15,
        frames: bool = True,
        tiles: bool = False,
        workers: int = 0,
        emulators: int = 8,
        seed: int = 0,
        device: str | torch.device = "cpu",
    ):
        for name, value, least in (
            ("games", games, 1),
            ("frameskip", frameskip, 1),
            ("emulators", emulators, 1),
            ("workers", workers, 0),
        ):
            if value < least:
                raise UserError(f"env.{name}={value}: at least {least} is needed.")
        rom = find_game(game)
        super().__init__(device=device, batch_size=[games])
        how: dict[str, Any] = {"frameskip": frameskip, "frames": frames, "tiles": tiles, "most": emulators}
        self.emulators: Stepper = Workers(workers, rom, **how) if workers > 1 else Emulators(rom, **how)
        self.games, self.moves = games, self.emulators.moves
        self._make_specs()
        self.set_seed(seed)

    def _make_specs(self) -> None:
        g, device = self.games, self.device
        highest = {"tiles": TILES[0] * TILES[1] * COLOURS - 1, "lives": 255}
        observations = {}
        for name, value in self._start(g).items():
            observations[name] = Bounded(
                0, highest.get(name, 255), value.shape, dtype=value.dtype, device=device
            )
        self.observation_spec = Composite(observations, shape=(g,), device=device)
        self.action_spec = Categorical(len(self.moves), (g,), dtype=torch.int64, device=device)
        self.reward_spec = Unbounded((g, 1), device=device)
        done = Binary(1, (g, 1), dtype=torch.bool, device=device)
        self.done_spec = Composite(done=done, terminated=done.clone(), shape=(g,), device=device)

    def _start(self, count: int) -> dict[str, Tensor]:
        """The states of some games that begin."""
        return {
            name: value.repeat_interleave(count, 0)
            for name, value in self._tensors(self.emulators.start).items()
        }

    def _tensors(self, rows: Rows) -> dict[str, Tensor]:
        return {name: torch.from_numpy(value).to(self.device) for name, value in rows.items()}

    def draw(self, state: dict[str, Tensor]) -> Tensor:
        """Pictures of these states, their last frames: uint8 ``[n, 84, 84, 3]``.

        Raises:
            UserError: there are no frames in them.
        """
        if "frames" not in state:
            raise UserError("There is nothing to be seen in these states: set env.frames=true.")
        return state["frames"][:, -1].unsqueeze(-1).expand(-1, -1, -1, 3)

    def _reset(self, tensordict: TensorDictBase | None = None, **kwargs) -> TensorDict:
        done = torch.zeros(self.games, 1, dtype=torch.bool, device=self.device)
        return self._emit(self._start(self.games), done)

    def _step(self, tensordict: TensorDictBase) -> TensorDict:
        needed = [name for name in ("machine", "frames") if name in self.emulators.start]
        rows: Rows = {name: tensordict[name].numpy(force=True) for name in needed}
        played = self.emulators.step(rows, tensordict["action"].numpy(force=True))
        done = torch.from_numpy(played.done).to(self.device).unsqueeze(-1)
        out = self._emit(self._tensors(played.rows), done)
        return out.set("reward", torch.from_numpy(played.reward).to(self.device).unsqueeze(-1))

    def _emit(self, state: dict[str, Tensor], done: Tensor) -> TensorDict:
        return TensorDict._new_unsafe(
            state | {"done": done, "terminated": done.clone()}, done.shape[:1], device=self.device
        )

    def close(self, *, raise_if_closed: bool = True) -> None:
        """End the worker processes."""
        if isinstance(self.emulators, Workers):
            self.emulators.close()
        super().close(raise_if_closed=raise_if_closed)

    def _set_seed(self, seed: int | None) -> None:
        """There is no chance in these games."""
