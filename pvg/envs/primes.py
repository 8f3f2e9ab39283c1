"""Where the numbers of the primality game come from: primes by primesieve, composites by construction."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from pvg.envs.modular import miller_rabin_holds, power_chain, powmod
from pvg.errors import UserError

Array = NDArray[np.int64]

NEAR = 30  # a neighbour is at most this far from a prime
CANDIDATES = 3_000_000  # numbers looked at for pseudoprimes: three seconds at 32 bits


def primes_between(start: int, stop: int) -> Array:
    """The primes from ``start`` to ``stop - 1``.

    Raises:
        UserError: primesieve is not installed.
    """
    try:
        import primesieve
    except ImportError as error:
        raise UserError(
            f"The primality game needs primesieve, which can't be imported ({error}). It is built from "
            "source against a C library: `apt-get install g++ libprimesieve-dev` on Debian and Ubuntu or "
            "`brew install primesieve` on a Mac, then `pip install primesieve`."
        ) from None
    return np.frombuffer(primesieve.primes(start, stop - 1), dtype=np.uint64).astype(np.int64)


def primes_and_neighbours(bits: int, count: int, bins: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """About ``count`` random primes of ``bits`` bits, as many from each bin of magnitude, and neighbours.

    Neighbours are composite numbers at most 30 from a prime (any prime), and coprime to 30030 (to 30 below 12
    bits); there are nearly as many.  Where there are fewer primes than asked, all are returned.
    """
    # Whole bins, not small windows: semiprimes lie everywhere, so if primes lay in windows only, where a
    # number lies would tell what it is.  All 98 million primes of 32 bits take half a second, bin by bin.
    width, count = (1 << (bits - 1)) // bins, count // bins + 1000
    wheel = np.gcd(np.arange(30030), 30030 if bits >= 12 else 30) == 1
    primes, neighbours = [], []
    for start in range(1 << (bits - 1), 1 << bits, width):
        near = primes_between(start - NEAR, start + width + NEAR)
        inside = near[np.searchsorted(near, start) : np.searchsorted(near, start + width)]
        primes.append(inside if len(inside) <= count else rng.choice(inside, count, replace=False))
        draws = 10 * count  # of which one in nine is a neighbour
        offsets = np.unique(rng.integers(width, size=draws)) if draws < width else np.arange(width)
        numbers = start + offsets[wheel[(start + offsets) % 30030]]
        after = np.searchsorted(near, numbers).clip(1, len(near) - 1)
        gap = np.minimum(abs(numbers - near[after - 1]), abs(near[after] - numbers))
        neighbours.append(numbers[(gap > 0) & (gap <= NEAR)])
    return np.concatenate(primes), np.concatenate(neighbours)


def semiprimes(bits: int, count: int, rng: np.random.Generator) -> Array:
    """Up to ``count`` distinct products p * q with p < q and p of ceil(bits / 2) bits, all equally likely."""
    half = (bits + 1) // 2
    p = primes_between(1 << (half - 1), 1 << half)
    q = primes_between(1 << (half - 1), (1 << (bits - half + 1)) + 1)
    smallest = np.maximum(-(-(1 << (bits - 1)) // p), p + 1)
    first, last = np.searchsorted(q, smallest), np.searchsorted(q, -(-(1 << bits) // p))
    ends = np.cumsum(np.maximum(last - first, 0))
    pick = rng.choice(ends[-1], min(count, ends[-1]), replace=False)
    row = np.searchsorted(ends, pick, "right")
    return p[row] * q[last[row] - (ends[row] - pick)]


@cache
def pseudoprimes(bits: int) -> tuple[Array, Array]:
    """Strong pseudoprimes to base 2, and Carmichael numbers, of ``bits`` bits and coprime to 30.

    A pseudoprime n to base 2 with a prime factor p is 1 modulo the order of 2 modulo p, hence
    n = p * (1 + k * order) (Pomerance, Selfridge, Wagstaff 1980): that leaves few candidates for each p, and
    all are tested, from the largest p down to what time allows.  Up to 24 bits all are found; at 32 bits some
    with small prime factors only are missed (2 of 574 and 26 of 231 that a search of 80 s finds).
    """
    low, high = 1 << (bits - 1), 1 << bits
    p = primes_between(7, 1 << (bits // 2 + 2))[::-1].copy()
    step = np.lcm(_order_of_two(p), 2)  # n is odd, so the cofactor is
    first, last = -(-(-(-low // p) - 1) // step), ((high - 1) // p - 1) // step
    counts = np.maximum(last - first + 1, 0)
    used = np.cumsum(counts) <= CANDIDATES
    p, step, first, counts = p[used], step[used], first[used], counts[used]
    k = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    numbers = np.repeat(p, counts) * (1 + k * np.repeat(step, counts))
    n = torch.from_numpy(np.unique(numbers[np.gcd(numbers % 30, 30) == 1]))
    two = torch.tensor(2)
    n = n[powmod(two, n - 1, n) == 1]
    return n.numpy()[is_strong_pseudoprime(n.numpy(), bits)], n.numpy()[is_carmichael(n.numpy())]


def _order_of_two(p: Array) -> Array:
    """The multiplicative order of 2 modulo odd primes: p - 1 without the prime factors that it can spare."""
    order, rest = p - 1, p - 1
    while (rest > 1).any():
        factor = smallest_factor(rest)
        power = powmod(torch.tensor(2), torch.from_numpy(order // factor), torch.from_numpy(p)).numpy()
        order, rest = np.where((factor > 1) & (power == 1), order // factor, order), rest // factor
    return order


def is_strong_pseudoprime(numbers: Array, bits: int) -> NDArray[np.bool_]:
    """Which odd composite numbers of ``bits`` bits pass the Miller-Rabin test to base 2."""
    n = torch.from_numpy(numbers)
    return miller_rabin_holds(power_chain(n, torch.tensor(2), bits - 1), n).numpy()


def is_carmichael(numbers: Array) -> NDArray[np.bool_]:
    """Korselt's criterion (1899): composite, squarefree, and p - 1 divides n - 1 for every prime factor p."""
    factor = smallest_factor(numbers)
    holds, rest = factor < numbers, numbers
    while (rest > 1).any():
        rest, before = rest // factor, factor
        holds &= (numbers - 1) % np.maximum(factor - 1, 1) == 0
        factor = smallest_factor(rest)
        holds &= (factor > before) | (rest == 1)
    return holds


def smallest_factor(numbers: Array) -> Array:
    """The smallest prime factor of numbers from 1 to 2**32 - 1 (of 1, itself), by trial division."""
    smallest = numbers.copy()
    left = np.arange(len(numbers))
    rest = numbers.astype(np.uint32)  # numpy vectorises division by one 32-bit number
    for p in primes_between(2, int(numbers.max(initial=1) ** 0.5) + 2):
        hit = rest % np.uint32(p) == 0
        if hit.any():
            smallest[left[hit]] = p
            left, rest = left[~hit], rest[~hit]
    return smallest
