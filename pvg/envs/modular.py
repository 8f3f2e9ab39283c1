"""Exact arithmetic on int64 tensors for numbers below 2**32: bits, remainders, powers, Miller-Rabin chains.

Everything is elementwise tensor code, right on any device, and exact: checked against Python's integers.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Int64, UInt8
from torch import Tensor

from pvg.errors import UserError


def to_bits(x: Int64[Tensor, "*batch"], width: int) -> UInt8[Tensor, "*batch {width}"]:
    """The ``width`` (at most 63) lowest bits of each non-negative integer, most significant first."""
    shifts = torch.arange(width - 1, -1, -1, device=x.device)
    return ((x.long().unsqueeze(-1) >> shifts) & 1).to(torch.uint8)


def from_bits(bits: UInt8[Tensor, "*batch width"]) -> Int64[Tensor, "*batch"]:
    """The integers whose binary digits, most significant first, lie along the last axis (at most 63)."""
    shifts = torch.arange(bits.shape[-1] - 1, -1, -1, device=bits.device)
    return (bits.long() << shifts).sum(-1)


def remainder(n: Int64[Tensor, "*batch"], m: Int64[Tensor, "*batch"]) -> Int64[Tensor, "*batch"]:
    """``n mod m`` of non-negative integers, shapes broadcast; ``n mod 0`` is ``n`` (Knuth 1968, TAOCP 1.2.4).

    So a positive number leaves 0 only on division by a divisor, and ``m = 0`` never looks like a proof.
    """
    # fmod equals remainder on non-negative integers and is four times as fast on a CPU.
    return torch.where(m == 0, n, torch.fmod(n, m.clamp(min=1)))


def mulmod(
    a: Int64[Tensor, "*batch"], b: Int64[Tensor, "*batch"], n: Int64[Tensor, "*batch"]
) -> Int64[Tensor, "*batch"]:
    """``a * b mod n`` for ``0 <= a, b < 2**32`` and ``1 <= n < 2**32``, shapes broadcast.

    The product may have 64 bits and int64 holds 63, so ``b`` goes in two halves of 16 bits (schoolbook
    multiplication): no intermediate value passes 2**49.
    """
    high = torch.fmod(a * (b >> 16), n)
    return torch.fmod((high << 16) + a * (b & 0xFFFF), n)


def powmod(
    base: Int64[Tensor, "*batch"], exponent: Int64[Tensor, "*batch"], n: Int64[Tensor, "*batch"]
) -> Int64[Tensor, "*batch"]:
    """``base ** exponent mod n`` for ``0 <= base < 2**32``, ``exponent >= 0``, ``1 <= n < 2**32``.

    Right-to-left square and multiply over the whole batch (Knuth 1969, TAOCP 4.6.3, algorithm A); shapes
    broadcast, and ``0 ** 0`` is 1 mod n.
    """
    base, exponent, n = torch.broadcast_tensors(base, exponent, n)
    result = torch.fmod(torch.ones_like(n), n)
    length = int(exponent.max()).bit_length() if exponent.numel() else 0
    for i in range(length):
        result = torch.where((exponent >> i) & 1 == 1, mulmod(result, base, n), result)
        base = mulmod(base, base, n)
    return result


def chain_link(
    previous: Int64[Tensor, "*batch"],
    position: Int64[Tensor, "*batch"] | int,
    number: Int64[Tensor, "*batch"],
    base: Int64[Tensor, "*batch"],
    steps: int,
) -> Int64[Tensor, "*batch"]:
    """What stands at ``position`` (0 to steps - 1) of a right :func:`power_chain`, given what stands before.

    ``previous² * base**bit mod number``, the bit being that of ``number - 1`` at this position; ``previous``
    is ``base`` at position 0.  This is all a verifier needs to check one link.  Shapes broadcast.
    """
    bit = ((number - 1) >> (steps - 1 - position)) & 1
    square = mulmod(previous, previous, number)
    return torch.where(bit == 1, mulmod(square, base, number), square)


def power_chain(
    number: Int64[Tensor, "*batch"], base: Int64[Tensor, "*batch"], steps: int
) -> Int64[Tensor, "*batch {steps}"]:
    """The left-to-right binary chain from ``base`` up to ``base ** (number - 1) mod number``.

    ``x_0 = base`` (not returned), ``x_(i+1) = x_i² * base**bit`` over the bits of ``number - 1`` after the
    leading one, most significant first (Knuth 1969, TAOCP 4.6.3): ``chain[..., j]`` is
    ``base ** ((number - 1) >> (steps - 1 - j))``.  The last entries are therefore squarings, and
    the sequence of Miller and Rabin is part of the chain: see :func:`miller_rabin_holds`.

    Args:
        number: odd numbers of exactly ``steps + 1`` bits, at most 32.
        base: ``1 <= base < number``, broadcast against ``number``.

    Raises:
        UserError: a number of another length: its chain would belong to another exponent.
    """
    number, base = torch.broadcast_tensors(number, base)
    if not bool(((number >> steps) == 1).all()):
        raise UserError(f"power_chain: {steps} steps fit numbers of {steps + 1} bits; pass steps = bits - 1.")
    chain, x = [], base
    for position in range(steps):
        x = chain_link(x, position, number, base, steps)
        chain.append(x)
    return torch.stack(chain, -1)


def miller_rabin_holds(
    chain: Int64[Tensor, "*batch steps"], number: Int64[Tensor, "*batch"]
) -> Bool[Tensor, "*batch"]:
    """Whether a :func:`power_chain` shows its number to be a strong probable prime to the chain's base.

    With ``number - 1 = 2**s * d``, d odd: ``base**d = 1``, or ``base**(2**i * d) = -1`` for an ``i < s``
    (Miller 1976; Rabin 1980, who proves that an odd composite number passes for at most a quarter of the
    bases).  A prime passes for every base.  Only the values are looked at: whether the links hold is for
    :func:`chain_link`.  Bases 1 and -1 prove nothing; for others ``x_0``, which the chain leaves out, is
    never needed.
    """
    # At distance i from the end stands base ** ((number - 1) >> i), a term of the sequence if 2**i divides.
    distance = torch.arange(chain.shape[-1] - 1, -1, -1, device=chain.device)
    exponent = (number - 1).unsqueeze(-1)
    divides = exponent & ((1 << distance) - 1) == 0
    odd = (exponent >> distance) & 1 == 1
    minus_one = divides & (distance > 0) & (chain == exponent)
    return (minus_one | (divides & odd & (chain == 1))).any(-1)


def jacobi(a: Int64[Tensor, "*batch"], n: Int64[Tensor, "*batch"]) -> Int64[Tensor, "*batch"]:
    """The Jacobi symbol (a / n) of ``a >= 0`` and odd ``n >= 1``: 1, -1, or 0 if they share a factor.

    By quadratic reciprocity, twos taken out at once (Cohen 1993, algorithm 1.4.10); shapes broadcast.
    """
    a, n = torch.broadcast_tensors(a, n)
    a, sign = torch.fmod(a, n), torch.ones_like(n)
    while bool((a != 0).any()):
        twos = torch.where(a == 0, 1, a & -a).double().log2().long()  # exact: a power of two
        a = a >> twos
        flips = (twos & 1 == 1) & ((n & 7 == 3) | (n & 7 == 5))
        flips = flips ^ ((a & 3 == 3) & (n & 3 == 3))
        done = a == 0
        sign = torch.where(flips & ~done, -sign, sign)
        a, n = torch.where(done, a, torch.fmod(n, a.clamp(min=1))), torch.where(done, n, a)
    return torch.where(n == 1, sign, 0)
