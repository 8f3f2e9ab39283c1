"""Atari games to plan in: what their novelty is judged by."""

from __future__ import annotations

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
        env: the games, with ``tiles`` for features of that name, and with ``frames`` for a network or for pictures.
        features: ``tiles``, the colours that each of 14 × 16 tiles of the screen shows, 28,672 atoms, for width 1
            (the basic features of Liang et al. 2016, in width-based search by Bandres, Bonet and Geffner 2018); or
            ``ram``, the values of 128 bytes (Lipovetzky, Ramirez and Geffner 2015).

    Raises:
        UserError: other features, or tiles that the environment does not look for.
    """

    def __init__(self, env: Atari, *, features: str = "tiles"):
        if features not in FEATURES:
            raise UserError(
                f"features={features}: there are no such features. There are {', '.join(FEATURES)}."
            )
        if features not in env.observation_spec.keys():  # noqa: SIM118
            raise UserError("features=tiles: the environment does not look for them; say env.tiles=true.")
        # that it is a function of its state is tested, and needn't be checked at every start
        super().__init__(env, features=features, lives="lives", check=False)
        if features == "tiles":
            # one feature that takes many values at once: each has an entry of its own in a table of novelty, and a
            # value that is repeated changes nothing there
            self.atoms_shape = (1, TILES[0] * TILES[1] * COLOURS)
