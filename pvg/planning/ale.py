"""Atari games to plan in: what their novelty is judged by."""

from __future__ import annotations

import torch

from pvg.envs.atari import Atari
from pvg.envs.atari_screen import COLOURS, TILES
from pvg.errors import UserError
from pvg.planning.simulator import EnvSimulator

FEATURES = ("tiles", "ram")


class AtariSimulator(EnvSimulator):
    """Games of the Arcade Learning Environment as a simulator: a state is all of the emulator, nothing is kept apart.

    A state is a row of tensors like any other, of 10 kB and with ``frames`` of 38 kB; what a tree holds goes with it,
    and there is nothing to be freed.

    Args:
        game: its name, as Pong or MsPacman.
        features: ``tiles``, the colours that each of 14 × 16 tiles of the screen shows, 28,672 atoms, for width 1
            (the basic features of Liang et al. 2016, in width-based search by Bandres, Bonet and Geffner 2018); or
            ``ram``, the values of 128 bytes (Lipovetzky, Ramirez and Geffner 2015).
        frames: keep the last four frames, for a network or for pictures.
        frameskip: frames an action lasts.
        workers: processes that run the emulators; with 0 or 1 they run in this one.
        emulators: that each process keeps, at most.

    Raises:
        UserError: other features, or what ``Atari`` refuses.
    """

    def __init__(
        self,
        game: str = "Pong",
        *,
        features: str = "tiles",
        frames: bool = False,
        frameskip: int = 15,
        workers: int = 0,
        emulators: int = 8,
        device: str | torch.device = "cpu",
    ):
        if features not in FEATURES:
            raise UserError(
                f"features={features}: there are no such features. There are {', '.join(FEATURES)}."
            )
        env = Atari(
            game,
            frameskip=frameskip,
            frames=frames,
            tiles=features == "tiles",
            workers=workers,
            emulators=emulators,
            device=device,
        )
        # that it is a function of its state is tested, and needn't be checked at every start
        super().__init__(env, features=features, lives="lives", check=False)
        if features == "tiles":
            # one feature that takes many values at once: each has an entry of its own in a table of novelty, and a
            # value that is repeated changes nothing there
            self.atoms_shape = (1, TILES[0] * TILES[1] * COLOURS)
