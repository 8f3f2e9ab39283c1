"""Exact arithmetic, against Python's integers and sympy."""

import pytest
import torch
from sympy import isprime, jacobi_symbol
from sympy.ntheory.primetest import mr

from pvg.envs.modular import (
    chain_link,
    from_bits,
    jacobi,
    miller_rabin_holds,
    mulmod,
    power_chain,
    powmod,
    remainder,
    to_bits,
)
from pvg.errors import UserError

TOP = 2**32 - 1


def integers(count, high, seed, edges=()):
    """Random integers below ``high`` of all lengths, and every one of ``edges``."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(high - 1, (count,), generator=generator)
    x = x >> torch.randint(high.bit_length(), (count,), generator=generator)
    return torch.cat([torch.tensor(edges, dtype=torch.int64), x])


def random_base(number, generator):
    """A base from 2 to ``number - 2`` for each number."""
    return 2 + (torch.rand(number.shape, generator=generator, dtype=torch.float64) * (number - 3)).long()


@pytest.mark.parametrize("width", [1, 8, 17, 32, 63])
def test_bits_are_pythons_binary_digits(width):
    x = integers(200, 2**width, width, [0, 1, 2**width - 1])
    bits = to_bits(x.view(-1, 1), width)
    assert bits.dtype == torch.uint8 and bits.shape == (len(x), 1, width)
    assert ["".join(map(str, row)) for row in bits[:, 0].tolist()] == [f"{v:0{width}b}" for v in x.tolist()]
    assert torch.equal(from_bits(bits)[:, 0], x)


def test_products_are_exact_up_to_32_bits():
    edges = [0, 1, 2, 2**16 - 1, 2**16, 2**31 - 1, 2**31, 2**32 - 5, TOP - 1, TOP]
    a, b = integers(20000, 2**32, 1, edges), integers(20000, 2**32, 2, edges[::-1])
    many = integers(20000, TOP, 3, edges[1:] + [TOP]).clamp(min=1)
    for n in (many, torch.tensor(TOP), torch.tensor(2**32 - 5)):
        right = [x * y % m for x, y, m in zip(a.tolist(), b.tolist(), n.expand_as(a).tolist(), strict=True)]
        assert mulmod(a, b, n).tolist() == right
    grid = torch.tensor(edges)
    moduli = grid[1:]
    everything = mulmod(grid.view(-1, 1, 1), grid.view(1, -1, 1), moduli.view(1, 1, -1))
    assert everything.tolist() == [[[x * y % m for m in edges[1:]] for y in edges] for x in edges]


def test_powers_are_exact_up_to_32_bits():
    base = integers(3000, 2**32, 4, [0, 0, 0, 5, TOP, TOP])
    exponent = integers(3000, 2**32, 5, [0, 0, 7, 0, TOP, 2**62])
    n = integers(3000, TOP, 6, [1, 9, 9, 1, TOP, TOP - 1]).clamp(min=1)
    right = [pow(*args) for args in zip(base.tolist(), exponent.tolist(), n.tolist(), strict=True)]
    assert powmod(base, exponent, n).tolist() == right
    assert powmod(torch.tensor(3), torch.tensor([[4], [0]]), torch.tensor([5, 7])).tolist() == [
        [1, 4],
        [1, 1],
    ]
    assert powmod(base[:0], exponent[:0], n[:0]).shape == (0,)


def test_remainder_of_division_by_zero_is_the_number():
    n, m = integers(2000, 2**32, 7, [0, 5, 5, 5, TOP]), integers(2000, 2**17, 8, [0, 0, 1, 6, TOP])
    right = [x % y if y else x for x, y in zip(n.tolist(), m.tolist(), strict=True)]
    assert remainder(n, m).tolist() == right


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_a_chain_holds_the_powers_of_every_prefix_of_the_exponent(bits):
    generator = torch.Generator().manual_seed(bits)
    number = torch.randint(2 ** (bits - 2), 2 ** (bits - 1), (50,), generator=generator) * 2 + 1
    number[:2] = torch.tensor([2 ** (bits - 1) + 1, 2**bits - 1])
    base = random_base(number, generator)
    chain = power_chain(number, base, bits - 1)
    assert chain.shape == (50, bits - 1)
    for n, g, row in zip(number.tolist(), base.tolist(), chain.tolist(), strict=True):
        assert row == [pow(g, (n - 1) >> (bits - 2 - j), n) for j in range(bits - 1)]


def test_a_forged_chain_breaks_at_the_forged_link():
    generator = torch.Generator().manual_seed(0)
    number = torch.randint(2**22, 2**23, (200,), generator=generator) * 2 + 1
    base = random_base(number, generator)
    chain = power_chain(number, base, 23)
    forged = torch.randint(
        22, (200, 1), generator=generator
    )  # not the last, so that its successor is wrong too
    chain = chain.scatter(1, forged, (chain.gather(1, forged) + 1) % number.unsqueeze(-1))
    previous = torch.cat([base.unsqueeze(-1), chain[:, :-1]], -1)
    n, g = number.unsqueeze(-1), base.unsqueeze(-1)
    broken = chain_link(previous, torch.arange(23), n, g, 23) != chain
    assert broken.gather(1, forged).all()
    others = broken.scatter(1, forged, False).scatter(1, forged + 1, False)
    assert not others.any()


def test_a_chain_of_the_wrong_length_is_refused():
    with pytest.raises(UserError, match="16 bits"):
        power_chain(torch.tensor([40001, 257]), torch.tensor(2), 15)


@pytest.mark.parametrize("bits", [8, 10])
def test_miller_rabin_for_every_number_and_base(bits):
    for n in range(2 ** (bits - 1) + 1, 2**bits, 2):
        bases = torch.arange(2, n - 1)
        passes = miller_rabin_holds(power_chain(torch.tensor(n), bases, bits - 1), torch.tensor(n))
        assert passes.tolist() == [mr(n, [g]) for g in range(2, n - 1)], n
        if isprime(n):
            assert passes.all()
        else:  # Rabin 1980; the bases 1 and n - 1 pass too
            assert 4 * (passes.sum() + 2) <= n - 1


@pytest.mark.parametrize("bits", [16, 17, 24, 32])
def test_miller_rabin_against_sympy(bits):
    generator = torch.Generator().manual_seed(bits)
    number = torch.randint(2 ** (bits - 2), 2 ** (bits - 1), (1500,), generator=generator) * 2 + 1
    # Fermat numbers have no g**d in the chain; these composites pass for base 2, the last for 2, 3, 5.
    known = [2 ** (bits - 1) + 1, 42799, 49141, 65281, 8725753, 3215031751]
    known = [n for n in known if n.bit_length() == bits]
    number = torch.cat([torch.tensor(known), number])
    for base in (torch.tensor(2), torch.tensor(3), random_base(number, generator)):
        passes = miller_rabin_holds(power_chain(number, base, bits - 1), number)
        bases = base.expand_as(number).tolist()
        assert passes.tolist() == [mr(n, [g]) for n, g in zip(number.tolist(), bases, strict=True)]


def test_jacobi_symbols_are_sympys():
    odd = 2 * integers(2000, 2**31, 20, [0, 1, 2, 7, 2**31 - 1]) + 1
    a = integers(2000, 2**32, 21, [0, 1, 5, 15, TOP])
    assert jacobi(a, odd).tolist() == [
        int(jacobi_symbol(x, n)) for x, n in zip(a.tolist(), odd.tolist(), strict=True)
    ]
