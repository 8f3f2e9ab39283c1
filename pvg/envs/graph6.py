"""The graph6 text format (McKay, nauty's ``formats.txt``), in bulk: many small graphs at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_FIRST, _LAST = 63, 126  # the characters '?' to '~' stand for six bits each; '~' in front starts a long size


class Graph6Error(ValueError):
    """A string that is not graph6; ``index`` is its place among those given."""

    def __init__(self, index: int, reason: str):
        super().__init__(reason)
        self.index = index


def encode(adjacency: NDArray[np.bool_], size: NDArray[np.integer]) -> list[bytes]:
    """Write graphs ``[count, n, n]`` of given sizes ``[count]`` as graph6 strings."""
    codes = np.empty(len(adjacency), object)
    for n in np.unique(size).tolist():
        mine = np.flatnonzero(size == n)
        column, row = np.tril_indices(n, -1)
        bits = adjacency[mine][:, row, column]
        sixes = np.pad(bits, ((0, 0), (0, -bits.shape[1] % 6))).reshape(len(mine), -1, 6)
        letters = _FIRST + (np.packbits(sixes, axis=-1)[..., 0] >> 2)
        head = [_FIRST + n] if n < 63 else [_LAST, *(_FIRST + (n >> shift & 63) for shift in (12, 6, 0))]
        rows = np.concatenate([np.tile(np.array(head, np.uint8), (len(mine), 1)), letters], 1)
        text, width = rows.tobytes(), rows.shape[1]
        codes[mine] = [text[k : k + width] for k in range(0, len(text), width)]
    return codes.tolist()


def decode(codes: Sequence[bytes], most: int = 255) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Read graph6 strings into graphs ``[count, n, n]``, padded to the largest, and their sizes ``[count]``.

    Args:
        codes: the strings, without line ends.
        most: the largest size that is allowed.

    Raises:
        Graph6Error: for the first string that is not graph6, or has no node or more than ``most``.
    """
    text = np.frombuffer(b"".join(codes) + b"????", np.uint8).astype(np.int64) - _FIRST
    length = np.fromiter(map(len, codes), np.int64, len(codes))
    start = np.cumsum(length) - length
    long = text[start] == _LAST - _FIRST
    size = np.where(long, text[start + 1] << 12 | text[start + 2] << 6 | text[start + 3], text[start])
    head = np.where(long, 4, 1)
    wanted = head - -(size * (size - 1) // 2) // 6
    strange = np.zeros(len(codes), bool)
    outside = np.flatnonzero((text < 0) | (text > _LAST - _FIRST))
    strange[np.searchsorted(start + length, outside, "right")] = True
    wrong = strange | (size < 1) | (size > most) | (length != wanted)
    if wrong.any():
        k = int(wrong.argmax())
        if not length[k]:
            raise _error(codes, k, "is empty")
        if strange[k]:
            raise _error(codes, k, "has a character that graph6 doesn't use")
        if length[k] >= head[k] and not 1 <= size[k] <= most:
            raise _error(codes, k, f"has {size[k]} nodes, where 1 to {most} are possible")
        raise _error(codes, k, f"is {length[k]} long, where {size[k]} nodes take {wanted[k]} characters")
    widest = int(size.max(initial=1))
    graphs = np.zeros((len(codes), widest, widest), bool)
    for n in np.unique(size).tolist():
        column, row = np.tril_indices(n, -1)
        for width in np.unique(length[size == n]).tolist():  # a small size may still be written the long way
            mine = np.flatnonzero((size == n) & (length == width))
            letters = text[(start + head)[mine, None] + np.arange(width - head[mine[0]])]
            bits = np.unpackbits(letters.astype(np.uint8)[..., None], axis=-1)[..., 2:].reshape(len(mine), -1)
            loose = bits[:, len(row) :].any(1)
            if loose.any():
                raise _error(codes, mine[loose][0], "has bits set behind its last possible edge")
            graphs[mine[:, None], row, column] = bits[:, : len(row)]
    return graphs | graphs.transpose(0, 2, 1), size


def _error(codes: Sequence[bytes], index: int, problem: str) -> Graph6Error:
    shown = codes[index][:60].decode("ascii", "backslashreplace")
    return Graph6Error(int(index), f"the graph '{shown}' {problem}")
