"""Numbers for the primality game: primes, and composites that simple statistics can't tell from them.

The range of all ``bits``-bit numbers is cut into strata: equal bins of magnitude times residues mod 30.
Every composite number is paired with a prime of its stratum, so neither size nor residue says anything.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tensordict import TensorDict

from pvg.envs.primes import (
    NEAR,
    Array,
    is_carmichael,
    is_strong_pseudoprime,
    primes_and_neighbours,
    primes_between,
    pseudoprimes,
    semiprimes,
    smallest_factor,
)
from pvg.errors import UserError

KINDS = ("prime", "semiprime", "carmichael", "strong_pseudoprime", "neighbour")
OTHER = len(KINDS)  # the code of composite numbers of no such kind, which only files have
SHARES = {"semiprime": 0.5, "carmichael": 0.05, "strong_pseudoprime": 0.05, "neighbour": 0.4}

TEST_SHARE = 0.2  # of all numbers, those that generate_split tests on


def generate_numbers(
    count: int, *, bits: int = 16, kinds: Mapping[str, float] | None = None, seed: int = 0
) -> TensorDict:
    """``count`` numbers of exactly ``bits`` bits, half of them primes, half composites matched to the primes.

    Kinds of composites (:data:`KINDS`); a number that is of several counts as the first named here:

    * ``strong_pseudoprime``: passes the Miller-Rabin test to base 2 (Pomerance, Selfridge, Wagstaff 1980);
    * ``carmichael``: passes Fermat's test to every coprime base (Korselt 1899);
    * ``semiprime``: p * q with p < q < 4p, p of ceil(bits / 2) bits;
    * ``neighbour``: any other composite number at most 30 from a prime.

    All are coprime to 30.  Semiprimes and neighbours of 12 bits and more have no prime factor up to 13, or
    divisibility by 7 would give many away; the other two kinds are too rare to choose from.  What a kind
    can't deliver, semiprimes and neighbours make up: ``kind`` shows what came.

    A table never fails for want of numbers: where fewer than ``count`` can be matched (there are 18 at 8
    bits, 5,736 at 16), all are repeated: each as often as any other, or once more.

    Args:
        count: rows, at least 2; of an odd number one more is prime.
        bits: 8 to 32.
        kinds: shares of the kinds among the composites, in any unit; those not named get none.  By default
            :data:`SHARES`.
        seed: decides everything.

    Returns:
        Batch ``[count]`` in random order: ``number`` int64; ``composite`` bool; ``kind`` uint8, an index
        into :data:`KINDS`; ``factor`` int64, the smallest prime factor (at most ceil(bits / 2) bits), 0 for
        primes; ``decoy`` int64, for primes the factor of the composite number they are paired with: like a
        factor in size and form, but no divisor; 0 for composites.

    Raises:
        UserError: ``bits`` or ``count`` out of range, an unknown kind, impossible shares, primesieve missing.
    """
    return _table(count, bits, kinds, seed, test=None)


def generate_split(
    train: int, test: int, *, bits: int = 16, kinds: Mapping[str, float] | None = None, seed: int = 0
) -> tuple[TensorDict, TensorDict]:
    """Two tables as of :func:`generate_numbers` that share no number.

    A hash of the number alone puts it on one side or the other (a fifth of all numbers are for tests), so no
    seed, size or kind ever trains on a number that another tests on.  Where there are too few, train numbers
    are repeated, each as often as any other or once more (at 16 bits there are about 4,500); test numbers are
    distinct, and the test table is **shorter than asked** (about 950 at 16 bits, 78 at 12, 2 at 8).

    Raises:
        UserError: as :func:`generate_numbers`.
    """
    return _table(train, bits, kinds, seed, test=False), _table(test, bits, kinds, seed, test=True)


def generate_apart(
    count: int,
    held_out: torch.Tensor,
    *,
    bits: int = 16,
    kinds: Mapping[str, float] | None = None,
    seed: int = 0,
) -> tuple[TensorDict, int]:
    """The training table of :func:`generate_split` without the numbers ``held_out``.

    Returns:
        a table of ``count`` rows, and how many different numbers it would have shared with ``held_out``; where
        there are none it is the very table of :func:`generate_split`.

    Raises:
        UserError: as :func:`generate_numbers`, and where no number is left.
    """
    table, taken = _table(count, bits, kinds, seed, test=False), held_out.numpy()
    shared = len(np.intersect1d(table["number"].numpy(), taken))
    return (_table(count, bits, kinds, seed, test=False, taken=taken) if shared else table), shared


def read_numbers(path: str | os.PathLike, *, bits: int, odd: bool = False, seed: int = 0) -> TensorDict:
    """Read a table from a file of decimal numbers, one a line; blank lines don't count.

    Columns are those of :func:`generate_numbers`, in the order of the file, and all is computed exactly: factors by
    trial division.  Composite numbers of no kind get the kind :data:`OTHER`; decoys are factors of random semiprimes.

    Args:
        path: of the file.
        bits: that every number must have, 8 to 32.
        odd: refuse even numbers.
        seed: decides the decoys.

    Raises:
        UserError: ``bits`` out of range, a file without numbers, and a line that can't be read or has another number
            than those wanted.
    """
    _check(2, bits, None)
    number = np.array(_read(path, bits, odd), np.int64)
    factor = smallest_factor(number)
    composite = factor < number
    rng = np.random.default_rng([seed, 3])
    decoys = rng.permutation(smallest_factor(semiprimes(bits, len(number), rng)))
    columns = {
        "number": number,
        "composite": composite,
        "kind": _kinds(number, factor, bits),
        "factor": np.where(composite, factor, 0),
        "decoy": np.where(composite, 0, decoys[np.arange(len(number)) % len(decoys)]),
    }
    return TensorDict({name: torch.from_numpy(c) for name, c in columns.items()}, batch_size=[len(number)])


def _read(path: str | os.PathLike, bits: int, odd: bool) -> list[int]:
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise UserError(
            f"{path} can't be read ({error.strerror}): give the path of a file of numbers."
        ) from None
    numbers = []
    for i, line in enumerate(text.splitlines(), 1):
        word = line.strip()
        if not word:
            continue
        shown = word.decode("ascii", "backslashreplace")
        where, shown = f"{path}, line {i}", shown if len(shown) <= 40 else shown[:40] + "…"
        if not re.fullmatch(rb"[+-]?[0-9]+", word):
            raise UserError(f"{where}: '{shown}' is no whole number in decimal. Correct or remove the line.")
        number = int(word) if len(word) < 40 else 10**39 * (-1 if word[:1] == b"-" else 1)
        if number <= 1:
            raise UserError(f"{where}: {shown} is neither prime nor composite. Remove the line.")
        if number.bit_length() != bits:
            raise UserError(
                f"{where}: {shown} is not a number of {bits} bits ({1 << (bits - 1)} to {(1 << bits) - 1}), as "
                f"env.bits={bits} says. Correct or remove the line, or play with other numbers."
            )
        if odd and number % 2 == 0:
            raise UserError(
                f"{where}: {shown} is even, and this claim is about odd numbers. Remove the line."
            )
        numbers.append(number)
    if not numbers:
        raise UserError(f"{path} has no numbers: write one a line, in decimal.")
    return numbers


def _kinds(number: Array, factor: Array, bits: int) -> NDArray[np.uint8]:
    """The kind of each number, given its smallest prime factor: the first that it is of, as in generate_numbers."""
    cofactor, half = number // factor, (bits + 1) // 2
    strong = np.zeros(len(number), bool)
    odd = number % 2 == 1
    strong[odd] = is_strong_pseudoprime(number[odd], bits)
    semiprime = (factor >> (half - 1) == 1) & (factor < cofactor) & (cofactor < 4 * factor)
    semiprime &= smallest_factor(cofactor) == cofactor
    codes = {name: code for code, name in enumerate(KINDS)}
    which = [factor == number, strong, is_carmichael(number), semiprime]
    names = ["prime", "strong_pseudoprime", "carmichael", "semiprime"]
    kind = np.select(which, [codes[name] for name in names], OTHER).astype(np.uint8)
    for row in np.flatnonzero(kind == OTHER):
        if len(primes_between(int(number[row]) - NEAR, int(number[row]) + NEAR + 1)):
            kind[row] = codes["neighbour"]
    return kind


def _table(
    count: int,
    bits: int,
    kinds: Mapping[str, float] | None,
    seed: int,
    test: bool | None,
    taken: Array | None = None,
) -> TensorDict:
    """The table of one side of the split, or of both sides (None), without the numbers ``taken``."""
    shares = _check(count, bits, kinds)
    rng = np.random.default_rng([seed, 0 if test is None else 1 + test])
    pairs = (count + 1) // 2
    primes, pools = _pools(bits, pairs, test, rng)
    if taken is not None:
        primes = primes[~np.isin(primes, taken)]
        pools = {name: pool[~np.isin(pool, taken)] for name, pool in pools.items()}
    composites, kind = _by_priority(pools, shares, pairs, rng)
    primes, chosen = _match(primes, composites, bits, pairs)
    if not len(primes):
        raise UserError(
            f"No number of {bits} bits is left to train on, beside those held out: test on fewer, or play with more "
            "bits."
        )
    if test and len(primes) < pairs:
        pairs = len(primes)
        count = 2 * pairs
    again = np.arange(pairs) % len(primes)
    primes, composites, kind = primes[again], composites[chosen][again], kind[chosen][again]
    factor, zero = smallest_factor(composites), np.zeros(pairs, np.int64)
    order = rng.permutation(count)  # of an odd count it leaves out the last composite

    def column(of_primes: NDArray, of_composites: NDArray) -> torch.Tensor:
        return torch.from_numpy(np.concatenate([of_primes, of_composites])[order])

    return TensorDict(
        {
            "number": column(primes, composites),
            "composite": column(zero > 0, zero == 0),
            "kind": column(zero.astype(np.uint8), kind),
            "factor": column(zero, factor),
            "decoy": column(factor, zero),
        },
        batch_size=[count],
    )


def _check(count: int, bits: int, kinds: Mapping[str, float] | None) -> dict[str, float]:
    """The shares of the kinds, adding up to 1."""
    if not 8 <= bits <= 32:
        raise UserError(
            f"bits={bits}: primality is played with numbers of 8 to 32 bits, whose products can be computed "
            "exactly in 64-bit integers. Set env.bits to 8..32; 16 and 24 are sensible."
        )
    if count < 2:
        raise UserError(f"count={count}: a table needs at least 2 numbers, one prime and one composite.")
    shares = dict(SHARES if kinds is None else kinds)
    unknown = set(shares) - set(KINDS[1:])
    if unknown:
        raise UserError(f"kinds: no kind is called {sorted(unknown)}; there are {list(KINDS[1:])}.")
    total = sum(shares.values())
    if not 0 < total < np.inf or min(shares.values()) < 0:
        raise UserError(f"kinds={shares}: shares must be 0 or more, and one of them above 0.")
    return {kind: share / total for kind, share in shares.items()}


def _pools(
    bits: int, pairs: int, test: bool | None, rng: np.random.Generator
) -> tuple[Array, dict[str, Array]]:
    """Primes, and composites by kind, of one side: several times as many as needed, or all there are."""
    share = {None: 1.0, False: 1 - TEST_SHARE, True: TEST_SHARE}[test]
    primes, neighbours = primes_and_neighbours(bits, int(6 * pairs / share), _bins(bits), rng)
    strong, carmichael = pseudoprimes(bits)
    pools = {
        "strong_pseudoprime": strong,
        "carmichael": carmichael,
        "semiprime": semiprimes(bits, int(2 * pairs / share) + 1000, rng),
        "neighbour": neighbours,
    }
    pools = {name: pool[_on_side(pool, test)] for name, pool in pools.items()}
    return rng.permutation(primes[_on_side(primes, test)]), pools


def _on_side(numbers: Array, test: bool | None) -> NDArray[np.bool_]:
    """Which numbers belong to this side, by the SplitMix64 hash of each (Steele, Lea, Flood 2014)."""
    if test is None:
        return np.ones(len(numbers), bool)
    x = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return (x < np.uint64(int(TEST_SHARE * 2**64))) == test


def _by_priority(
    pools: dict[str, Array], shares: dict[str, float], pairs: int, rng: np.random.Generator
) -> tuple[Array, NDArray[np.uint8]]:
    """Composites and their kinds, the most wanted first: each kind's share, then what may fill up."""
    number = np.concatenate(list(pools.values()))
    codes = [np.full(len(pool), KINDS.index(name), np.uint8) for name, pool in pools.items()]
    kind = np.concatenate(codes)
    _, first = np.unique(number, return_index=True)
    first = rng.permutation(first)
    wanted, spare = [], []
    for name in pools:
        rows = first[kind[first] == KINDS.index(name)]
        quota = round(shares.get(name, 0.0) * pairs)
        wanted.append(rows[:quota])
        if name in ("semiprime", "neighbour"):
            spare.append(rows[quota:])
    order = np.concatenate([*wanted, rng.permutation(np.concatenate(spare))])
    return number[order], kind[order]


def _bins(bits: int) -> int:
    """Bins of magnitude: as many as leave each stratum some 20 primes, at most 64."""
    return 1 << min(max(bits - 12, 0), 6)


def _strata(numbers: Array, bits: int) -> Array:
    width = (1 << (bits - 1)) // _bins(bits)
    return (numbers // width - _bins(bits)) * 30 + numbers % 30


def _match(primes: Array, composites: Array, bits: int, pairs: int) -> tuple[Array, Array]:
    """Primes, and indices into ``composites``, in pairs of one stratum; the first composites come first."""
    of_prime, of_composite = _strata(primes, bits), _strata(composites, bits)
    room = np.bincount(of_prime, minlength=30 * _bins(bits))
    chosen = np.flatnonzero(_rank(of_composite) < room[of_composite])[:pairs]
    taken = np.bincount(of_composite[chosen], minlength=30 * _bins(bits))
    matched = _rank(of_prime) < taken[of_prime]
    primes, of_prime = primes[matched], of_prime[matched]
    # In order of size within the stratum, so that a prime and its composite are as close as may be.
    by_size = np.lexsort((composites[chosen], of_composite[chosen]))
    return primes[np.lexsort((primes, of_prime))], chosen[by_size]


def _rank(group: Array) -> Array:
    """How many members of the same group come before each."""
    order = np.argsort(group, kind="stable")
    ranks = np.empty_like(order)
    ranks[order] = np.arange(len(group)) - np.searchsorted(group[order], group[order])
    return ranks
