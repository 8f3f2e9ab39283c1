"""What is made of an Atari screen: frames of the usual size, and the colours of its tiles."""

from __future__ import annotations

import math

import numpy as np

FRAMES = 4  # of an observation
SIDE = 84  # of a frame
TILES = (14, 16)  # rows and columns of tiles
COLOURS = 128  # what a pixel may be on an NTSC console
ATOMS = (
    1024  # (tile, colour) pairs of a screen at most; of more (noise, in Turmoil) the first in order of tiles
)


class Shrink:
    """Frames uint8 ``[k, height, width]`` to ``[k, 84, 84]``: each pixel the mean over its area, rounded.

    All in integers: an old pixel has 84 parts and a new one ``height`` (or ``width``), over their common divisor.
    """

    def __init__(self, height: int, width: int):
        self.rows, self.columns = _overlaps(height), _overlaps(width)
        self.parts = height // math.gcd(height, SIDE) * (width // math.gcd(width, SIDE))
        self.dtype = np.uint16 if 255 * self.parts + self.parts // 2 < 2**16 else np.uint32

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        total = _sum_overlaps(frames.astype(self.dtype), *self.rows)
        total = _sum_overlaps(
            np.ascontiguousarray(total.swapaxes(1, 2)), *self.columns
        )  # rows are fast to gather
        total += self.parts // 2
        return np.ascontiguousarray((total // self.parts).swapaxes(1, 2).astype(np.uint8))


def _overlaps(old: int) -> tuple[np.ndarray, np.ndarray]:
    """Which old pixels lie under each new one, and how many parts of it: two of ``[most, 84]``."""
    left, right = np.arange(SIDE)[:, None] * old, np.arange(1, SIDE + 1)[:, None] * old
    pixels = np.arange(old) * SIDE
    parts = np.clip(np.minimum(right, pixels + SIDE) - np.maximum(left, pixels), 0, None) // math.gcd(
        old, SIDE
    )
    most = int((parts > 0).sum(1).max())
    which = np.argsort(parts == 0, axis=1, kind="stable")[:, :most]
    return which.T.copy(), np.take_along_axis(parts, which, 1).T.copy()


def _sum_overlaps(x: np.ndarray, which: np.ndarray, parts: np.ndarray) -> np.ndarray:
    parts = parts.astype(x.dtype)[:, :, None]
    total = x[:, which[0]] * parts[0]
    for pixels, weight in zip(which[1:], parts[1:]):
        total += x[:, pixels] * weight
    return total


class TileColours:
    """The colours that the tiles of a screen show, the basic features of Liang et al. (2016, arXiv 1512.01563)."""

    def __init__(self, height: int, width: int):
        row, column = np.arange(height) * TILES[0] // height, np.arange(width) * TILES[1] // width
        top, left = np.diff(row, prepend=-1)[:, None] > 0, np.diff(column, prepend=-1)[None] > 0
        self.top, self.left = (np.broadcast_to(edge, (height, width)).ravel() for edge in (top, left))
        self.first = ((row[:, None] * TILES[1] + column) * COLOURS).astype(np.int16).ravel()
        self.width = width
        self._above, self._before, self._new = np.ones((3, height * width), bool)

    def __call__(self, screen: np.ndarray) -> np.ndarray:
        """Of a screen of palette numbers, uint8 ``[height, width]``: int16 ``[ATOMS]``, in ascending order."""
        # A pixel like its left or upper neighbour in the same tile tells nothing that the neighbour doesn't.
        pixels = screen.ravel()
        np.not_equal(pixels[self.width :], pixels[: -self.width], out=self._above[self.width :])
        np.not_equal(pixels[1:], pixels[:-1], out=self._before[1:])
        np.logical_or(self._above, self.top, out=self._above)
        np.logical_or(self._before, self.left, out=self._before)
        places = np.flatnonzero(self._above & self._before)
        found = self.first[places] + (pixels[places] >> 1)
        found.sort()
        self._new[1 : len(found)] = found[1:] != found[:-1]
        found = found[self._new[: len(found)]][:ATOMS]
        atoms = np.full(ATOMS, found[0], np.int16)
        atoms[: len(found)] = found
        return atoms
