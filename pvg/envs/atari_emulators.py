"""Emulators of the Arcade Learning Environment as a function of their state."""

from __future__ import annotations

import difflib
from typing import Any, NamedTuple, Protocol

import numpy as np

from pvg.envs.atari_screen import FRAMES, Shrink, TileColours
from pvg.errors import UserError

# No torch in this file, nor in those beside it: worker processes begin sooner without.

Rows = dict[str, np.ndarray]  # every array [n, ...]


class Played(NamedTuple):
    """What ``n`` actions have led to."""

    rows: Rows
    reward: np.ndarray  # float32 [n]
    done: np.ndarray  # bool [n]


class Stepper(Protocol):
    """Whoever can step emulators.

    Attributes:
        start: the state of a game that begins, one row.
        moves: the names of the actions.
        height: rows of the game's screen.
        restored, skipped: how many states were restored, and how many did not need to be.
    """

    start: Rows
    moves: tuple[str, ...]
    height: int
    restored: int
    skipped: int

    def step(self, rows: Rows, action: np.ndarray) -> Played:
        """What follows from ``action`` int ``[n]`` in the states of ``rows``."""
        ...


def find_game(game: str) -> str:
    """The file of a game's ROM, by its name in any spelling: Pong, MsPacman, ms_pacman.

    Raises:
        UserError: ale-py is missing, or has no such game.
    """
    try:
        from ale_py import ALEInterface, LoggerMode, roms
    except ImportError:
        raise UserError(
            "env=atari needs the Arcade Learning Environment: pip install -e '.[atari]' (or pip install ale-py)."
        ) from None
    ALEInterface.setLoggerMode(LoggerMode.Error)
    paths = {_title(name): str(roms.get_rom_path(name)) for name in sorted(roms.get_all_rom_ids())}
    # a few are for two players only, and the emulator would end the whole program over them
    names = {name: path for name, path in paths.items() if ALEInterface.isSupportedROM(path)}
    plain = {name.lower(): name for name in names}
    asked = "".join(c for c in str(game).lower() if c.isalnum())
    if asked not in plain:
        near = [plain[name] for name in difflib.get_close_matches(asked, plain, 1)]
        meant = f" Did you mean {near[0]}?" if near else ""
        raise UserError(f"env.game={game}: there is no such game.{meant} There are {', '.join(names)}.")
    return names[plain[asked]]


def _title(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


class Emulators:
    """A few emulators of one game in this process, which go from any state to what follows it.

    The rows of a state: ``machine`` uint8 ``[n, bytes]``, the console, cartridge and scores as ALE serialises them;
    ``ram`` uint8 ``[n, 128]``; ``lives`` int64 ``[n]``; if asked for, ``frames`` uint8 ``[n, 4, 84, 84]``, the last
    four of the emulator's own frames in grey, oldest first, each pixel the mean of the area it covers; and ``tiles``
    int16 ``[n, 1024]``, the numbers ``tile * 128 + colour`` of the colours that the 14 × 16 tiles of the last frame
    show, the first one repeated up to the end.

    The screen is no part of what ALE saves, so the frames are part of the state.  An emulator that already is where
    a row wants it is not restored; ``most`` emulators at most are kept, for as many places of a search.

    Args:
        rom: the game's file.
        frameskip: how many frames an action lasts.
        frames: keep the last four frames.
        tiles: find the tiles' colours.
        most: emulators at most.
    """

    def __init__(self, rom: str, *, frameskip: int, frames: bool, tiles: bool, most: int):
        self.rom, self.frameskip, self.most = rom, frameskip, most
        self.fresh = min(frameskip, FRAMES) if frames else 0  # frames of an action that are looked at
        self.restored = self.skipped = 0
        first = self._make()
        self._actions = first.getMinimalActionSet()
        self.moves = tuple(action.name.lower() for action in self._actions)
        self.height, self.width = first.getScreenDims()
        self._shrink = Shrink(self.height, self.width)
        self._tile_colours = TileColours(self.height, self.width)
        machine = first.cloneState().serialize()
        self._at = {machine: [first]}  # emulators by the state they are in, longest unused first
        self.start = {
            "machine": np.frombuffer(machine, np.uint8)[None].copy(),
            "ram": first.getRAM()[None],
            "lives": np.array([first.lives()]),
        }
        if frames:  # nothing was seen before the first
            seen = self._shrink(first.getScreenGrayscale()[None])
            self.start["frames"] = seen.repeat(FRAMES, 0)[None]
        if tiles:
            self.start["tiles"] = self._tile_colours(first.getScreen())[None]

    def _make(self) -> Any:
        from ale_py import ALEInterface, LoggerMode

        ALEInterface.setLoggerMode(LoggerMode.Error)
        emulator = ALEInterface()
        emulator.setFloat("repeat_action_probability", 0.0)  # no sticky actions
        # frames that are looked at come one by one; where none are, an action is one call
        emulator.setInt("frame_skip", 1 if self.fresh else self.frameskip)
        emulator.setInt("random_seed", 0)
        emulator.loadROM(self.rom)
        emulator.reset_game()
        return emulator

    def step(self, rows: Rows, action: np.ndarray) -> Played:
        """What follows from ``action`` int ``[n]``; a game that is over, or ends in mid-action, stays as it is."""
        from ale_py import ALEState

        wanted = [machine.tobytes() for machine in rows["machine"]]
        while sum(map(len, self._at.values())) < min(self.most, len(wanted)):
            self._at.setdefault(b"", []).append(self._make())
        emulators = [self._take(state) for state in wanted]
        count = len(wanted)
        after = {name: np.empty((count, *one.shape[1:]), one.dtype) for name, one in self.start.items()}
        reward, done = np.zeros(count, np.float32), np.zeros(count, bool)
        screens = np.empty((count if "tiles" in after else 0, self.height, self.width), np.uint8)
        grey = np.empty((count, self.fresh, self.height, self.width), np.uint8)
        # those that need no restoring first, so that nobody else takes their emulators
        for k in sorted(range(count), key=lambda k: emulators[k] is None):
            emulator = emulators[k]
            if emulator is None:
                emulator = self._take(next(iter(self._at)))
                emulator.restoreState(ALEState(wanted[k]))
                self.restored += 1
            else:
                self.skipped += 1
            move = self._actions[action[k]]
            for _ in range(self.frameskip - self.fresh if self.fresh else 1):
                reward[k] += emulator.act(move)
            for frame in grey[k]:
                reward[k] += emulator.act(move)
                emulator.getScreenGrayscale(frame)
            done[k] = emulator.game_over()
            machine = emulator.cloneState().serialize()
            after["machine"][k] = np.frombuffer(machine, np.uint8)
            after["ram"][k], after["lives"][k] = emulator.getRAM(), emulator.lives()
            if len(screens):
                emulator.getScreen(screens[k])
            self._at.setdefault(machine, []).append(emulator)
        # all screens one after the other: between two emulations the same costs three times as much
        if self.fresh:
            after["frames"][:, : FRAMES - self.fresh] = rows["frames"][:, self.fresh :]
        for k, frames in enumerate(grey if self.fresh else ()):
            after["frames"][k, FRAMES - self.fresh :] = self._shrink(frames)
        for k, screen in enumerate(screens):
            after["tiles"][k] = self._tile_colours(screen)
        return Played(after, reward, done)

    def _take(self, state: bytes) -> Any:
        """An emulator that is in this state, or None."""
        there = self._at.get(state)
        if there is None:
            return None
        emulator = there.pop()
        if not there:
            del self._at[state]
        return emulator
