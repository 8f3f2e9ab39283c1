"""Numbers of the primality game: what they are, against sympy, and that nothing simple tells them apart."""

import sys
import time

import numpy as np
import pytest
import torch
from sympy import isprime, primefactors
from sympy.ntheory.factor_ import is_carmichael
from sympy.ntheory.primetest import mr

from pvg.envs.modular import to_bits
from pvg.envs.numbers import KINDS, OTHER, generate_apart, generate_numbers, generate_split, read_numbers
from pvg.envs.primes import pseudoprimes, semiprimes
from pvg.errors import UserError

COLUMNS = ("number", "composite", "kind", "factor", "decoy")


def counts(table):
    return dict(zip(KINDS, torch.bincount(table["kind"].long(), minlength=len(KINDS)).tolist(), strict=True))


@pytest.mark.parametrize("bits", [8, 9, 12, 16, 17, 24, 32])
def test_every_row_is_what_it_says(bits):
    table = generate_numbers(1001, bits=bits, seed=bits)
    assert table.batch_size == (1001,)
    dtypes = {"number": torch.int64, "composite": torch.bool, "kind": torch.uint8}
    assert {key: table[key].dtype for key in dtypes} == dtypes
    assert table["composite"].sum() == 500
    facts = {}
    for row in zip(*(table[key].tolist() for key in ("number", "kind", "factor", "decoy")), strict=True):
        number, kind, factor, decoy = row
        assert number.bit_length() == bits
        factors = facts.setdefault(number, primefactors(number))
        if kind == 0:
            assert isprime(number) and factor == 0
            assert 1 < decoy < 2 ** ((bits + 1) // 2) and number % decoy
            continue
        assert factor == factors[0] and factor**2 <= number and factors[-1] < number and decoy == 0
        assert factor > 5
        if KINDS[kind] in ("semiprime", "neighbour") and bits >= 12:
            assert factor > 13
        if KINDS[kind] == "semiprime":
            p, q = factors
            assert p * q == number and p < q < 4 * p and p.bit_length() == (bits + 1) // 2
        elif KINDS[kind] == "carmichael":
            assert is_carmichael(number) and not mr(number, [2])
        elif KINDS[kind] == "strong_pseudoprime":
            assert mr(number, [2])
        else:
            assert any(isprime(number + gap) for gap in range(-30, 31))
    assert torch.equal(table["composite"], table["kind"] > 0)


@pytest.mark.parametrize("bits", [16, 24, 32])
def test_composites_match_primes_in_residue_and_size(bits):
    table = generate_numbers(5000, bits=bits)
    number, composite = table["number"], table["composite"]
    strata = (number >> (bits - 5)) * 30 + number % 30
    of_primes, of_composites = (strata[composite == flag].bincount(minlength=960) for flag in (False, True))
    assert torch.equal(of_primes, of_composites)
    # Decoys come from the same places as factors, and nearly never are too large to be one.
    assert torch.equal(table["factor"][composite].sort()[0], table["decoy"][~composite].sort()[0])
    assert (table["decoy"] ** 2 > number).float().mean() < 0.002


def held_out_accuracy(train, test, features):
    """Logistic regression on one table (LBFGS, a little weight decay), scored on another."""
    x, y = features(train["number"]), train["composite"].double()
    weight = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight], max_iter=60)

    def closure():
        optimiser.zero_grad()
        loss = (
            torch.nn.functional.binary_cross_entropy_with_logits(x @ weight, y) + 1e-4 * weight.square().sum()
        )
        loss.backward()
        return loss

    optimiser.step(closure)
    return ((features(test["number"]) @ weight > 0) == test["composite"]).double().mean().item()


def bit_features(bits):
    def features(number):
        x = to_bits(number, bits).double() * 2 - 1
        return torch.cat([x, x[:, 1:-1] * x[:, 2:], torch.ones(len(x), 1).double()], -1)

    return features


def residue_features(number):
    return torch.cat([torch.nn.functional.one_hot(number % m, m) for m in (30, 7, 11, 13)], -1).double()


@pytest.mark.parametrize("bits", [16, 24, 32])
def test_simple_statistics_say_nothing(bits):
    train, test = generate_split(20000, 8000, bits=bits, seed=1)
    bound = 0.5 + 3.5 * 0.5 / len(test) ** 0.5
    for features in (bit_features(bits), residue_features):
        accuracy = held_out_accuracy(train, test, features)
        assert 1 - bound < accuracy < bound, (accuracy, features)


def test_the_regression_sees_what_is_there_to_see():
    train, test = generate_split(20000, 4000, bits=24, seed=1)
    for table in (train, test):  # unmatched: composites 30 % larger
        table["number"] = table["number"] + table["composite"] * (table["number"] // 10 * 3)
    assert held_out_accuracy(train, test, bit_features(25)) > 0.6


def test_shares_of_kinds_are_delivered_where_they_can_be():
    found = counts(generate_numbers(20000, bits=24, kinds={"semiprime": 3, "neighbour": 1}))
    assert found == {
        "prime": 10000, "semiprime": 7500, "carmichael": 0, "strong_pseudoprime": 0, "neighbour": 2500
    }  # fmt: skip
    assert counts(generate_numbers(200, bits=24, kinds={"strong_pseudoprime": 0.2, "neighbour": 0.8})) == {
        "prime": 100, "semiprime": 0, "carmichael": 0, "strong_pseudoprime": 20, "neighbour": 80
    }  # fmt: skip
    scarce = counts(generate_numbers(4000, bits=16, kinds={"carmichael": 1.0}))
    assert 1 <= scarce["carmichael"] <= 4 and scarce["semiprime"] + scarce["neighbour"] >= 1996
    assert scarce["prime"] == 2000


def test_pseudoprimes_are_complete_where_brute_force_can_look():
    for bits in (13, 16, 19):
        odd = [n for n in range(2 ** (bits - 1) + 1, 2**bits, 2) if n % 3 and n % 5 and pow(2, n - 1, n) == 1]
        odd = [n for n in odd if not isprime(n)]
        strong, carmichael = pseudoprimes(bits)
        assert strong.tolist() == [n for n in odd if mr(n, [2])]
        assert carmichael.tolist() == [n for n in odd if is_carmichael(n)]


def test_pseudoprimes_of_32_bits_come_in_seconds():
    pseudoprimes.cache_clear()
    start = time.process_time()
    strong, carmichael = pseudoprimes(32)
    assert time.process_time() - start < 15  # 3 s on a quiet core
    assert len(strong) > 400 and len(carmichael) > 150
    assert pseudoprimes(32)[0] is strong
    assert 3215031751 in strong  # the one strong pseudoprime to 2, 3, 5 and 7 below 2.5e10 (PSW 1980)


def test_semiprimes_are_all_of_them_and_distinct():
    found = semiprimes(14, 10**6, np.random.default_rng(0)).tolist()
    right = [
        n for n in range(2**13, 2**14) if len(f := primefactors(n)) == 2 and f[0] * f[1] == n and f[0] >= 64
    ]
    assert sorted(found) == right


def test_train_and_test_share_no_number_whatever_the_seed():
    train, test = generate_split(6000, 2000, bits=24, seed=0)
    other_train, other_test = generate_split(9000, 500, bits=24, seed=5, kinds={"neighbour": 1})
    tests = set(test["number"].tolist()) | set(other_test["number"].tolist())
    assert not tests & (set(train["number"].tolist()) | set(other_train["number"].tolist()))
    assert len(test) == 2000 == len(test["number"].unique()) and len(train["number"].unique()) == 6000
    assert test["composite"].sum() == 1000 and train["composite"].sum() == 3000


def test_small_ranges_repeat_in_training_and_never_in_tests():
    train, test = generate_split(20000, 20000, bits=16)
    assert len(train) == 20000 and train["composite"].sum() == 10000
    repeats = train["number"].unique(return_counts=True)[1]
    assert len(repeats) > 4000 and repeats.max() - repeats.min() <= 1
    assert len(test) == len(test["number"].unique()) and 800 < len(test) < 1400
    assert test["composite"].sum() == len(test) // 2
    assert not set(train["number"].tolist()) & set(test["number"].tolist())
    for bits in range(8, 16):
        assert len(generate_split(100, 100, bits=bits)[1]) >= 2


@pytest.mark.parametrize("count", [40, 41, 999, 1000])
def test_repeats_are_even_to_one(count):
    repeats = generate_numbers(count, bits=8)["number"].unique(return_counts=True)[1]
    assert len(repeats) == 18 and repeats.max() - repeats.min() == 1


def write(folder, numbers):
    (folder / "numbers.txt").write_text("".join(f"{n}\n" for n in numbers))
    return folder / "numbers.txt"


@pytest.mark.parametrize("bits", [8, 13, 16, 24, 31, 32])
def test_numbers_of_a_file_are_what_they_say(tmp_path, bits):
    generated = generate_numbers(400, bits=bits, seed=2)
    more = torch.randint(2 ** (bits - 1), 2**bits, (400,), generator=torch.Generator().manual_seed(bits))
    numbers = generated["number"].tolist() + more.tolist() + [2 ** (bits - 1), 2**bits - 1]
    table = read_numbers(write(tmp_path, numbers), bits=bits)
    assert table["number"].tolist() == numbers and {k: v.dtype for k, v in table.items()} == {
        k: generated[k].dtype for k in COLUMNS
    }
    assert torch.equal(table["composite"], torch.tensor([not isprime(n) for n in numbers]))
    for key in ("composite", "factor"):
        assert torch.equal(table[key][:400], generated[key])
    # among generated neighbours there are a few semiprimes: those not drawn as such
    moved = table["kind"][:400] != generated["kind"]
    assert (table["kind"][:400][moved] == KINDS.index("semiprime")).all() and moved.sum() < 20
    assert (generated["kind"][moved] == KINDS.index("neighbour")).all()
    for n, composite, kind, factor, decoy in zip(*(table[k].tolist() for k in COLUMNS), strict=True):
        assert max(factor, decoy).bit_length() <= (bits + 1) // 2
        if composite:
            assert factor == primefactors(n)[0] and decoy == 0
        else:
            assert kind == factor == 0 and decoy > 1 and n % decoy
        if kind == OTHER:
            assert not any(isprime(n + gap) for gap in range(-30, 31)) and not is_carmichael(n)
    if bits > 24:
        assert (table["kind"] == OTHER).any()
    again = read_numbers(write(tmp_path, numbers), bits=bits)
    assert (again == table).all()


def test_numbers_of_a_file_are_not_trained_on():
    train = generate_split(1000, 2, bits=16)[0]
    taken = train["number"][:300]
    apart, shared = generate_apart(1000, taken, bits=16)
    assert shared == 300 and len(apart) == 1000 and apart["composite"].sum() == 500
    assert not set(apart["number"].tolist()) & set(taken.tolist())
    same, shared = generate_apart(1000, torch.tensor([2**15]), bits=16)
    assert shared == 0 and (same == train).all()
    with pytest.raises(UserError, match="No number of 8 bits is left to train on") as error:
        generate_apart(20, torch.arange(256), bits=8)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no numbers"),
        ("\n  \n", "has no numbers"),
        ("50001\n\nprime\n", "line 3: 'prime' is no whole number in decimal"),
        ("50001\n5e4\n", "line 2: '5e4' is no"),
        ("50001 50003\n", "line 1: '50001 50003' is no"),
        ("50_001\n", "line 1: '50_001' is no"),
        ("\xb2\n", "line 1: '"),
        ("1\n", "line 1: 1 is neither prime nor composite"),
        ("50001\n0\n", "line 2: 0 is neither"),
        ("-50001\n", "line 1: -50001 is neither"),
        ("-" + "9" * 5000, "line 1: -999"),
        ("32767\n", "line 1: 32767 is not a number of 16 bits (32768 to 65535), as env.bits=16 says"),
        ("65535\n65536\n", "line 2: 65536 is not a number of 16 bits"),
        ("9" * 5000, "line 1: 9999"),
        ("50001\n50000\n", "line 2: 50000 is even"),
    ],
)
def test_a_bad_line_of_a_file_is_named(tmp_path, text, says):
    path = tmp_path / "numbers.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_numbers(path, bits=16, odd=True)
    message = str(error.value)
    assert says in message and str(path) in message and "\n" not in message
    assert len(message) < len(str(path)) + 250
    with pytest.raises(UserError, match="No such file"):
        read_numbers(tmp_path / "none.txt", bits=16)
    with pytest.raises(UserError, match="bits=7"):
        read_numbers(path, bits=7)


def test_one_seed_decides_everything_and_global_state_is_left_alone():
    torch.manual_seed(0)
    np.random.seed(0)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    first, again, other = (generate_numbers(1000, bits=24, seed=seed) for seed in (3, 3, 4))
    assert (first == again).all() and not torch.equal(first["number"], other["number"])
    assert torch.equal(torch.get_rng_state(), before[0]) and np.random.get_state()[1].tolist() == before[1]


def test_speed_at_24_bits():
    generate_numbers(10, bits=24)
    start = time.process_time()
    assert len(generate_numbers(120_000, bits=24)["number"].unique()) == 120_000
    assert time.process_time() - start < 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bits": 64}, "bits=64.*8 to 32"),
        ({"bits": 7}, "bits=7"),
        ({"count": 1}, "at least 2"),
        ({"kinds": {"perfect": 1}}, "perfect.*semiprime"),
        ({"kinds": {"semiprime": -1, "neighbour": 2}}, "0 or more"),
        ({"kinds": {"semiprime": 0}}, "above 0"),
        ({"kinds": {}}, "above 0"),
        ({"kinds": {"semiprime": float("nan")}}, "above 0"),
    ],
)
def test_bad_input_says_what_to_do(arguments, message):
    with pytest.raises(UserError, match=message) as error:
        generate_numbers(**{"count": 10, **arguments})
    assert "\n" not in str(error.value)


def test_a_missing_primesieve_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "primesieve", None)
    with pytest.raises(UserError) as error:
        generate_numbers(10)
    message = str(error.value)
    for words in (
        "apt-get install g++ libprimesieve-dev",
        "brew install primesieve",
        "pip install primesieve",
    ):
        assert words in message
    assert "\n" not in message and error.value.__suppress_context__
