"""The table of arms and the figures of speed, on numbers that can be checked by hand."""

import re

import pytest

from benchmarks import measure, theorems


def row(arm, seed, first):
    rest = {"pass@8": 0.5, "failed": None, "size": 10.0, "distinct": 3, "unifications": 7, "updates": 9}
    return {"arm": arm, "seed": seed, "pass@1": first, "cpu_s": 1.0} | rest


def test_an_interval_is_students():
    middle, half = measure.interval([1.0, 2.0, 3.0])
    assert middle == pytest.approx(2.0)
    assert half == pytest.approx(4.302653 / 3**0.5, rel=1e-5)  # t at 97.5 % with two degrees of freedom
    assert theorems.mean([]) is None and theorems.show("size", [None]) == "–"


def test_differences_are_paired_by_seed():
    """Seeds differ much, arms by .1 in each: the interval of the difference is nothing."""
    first = {0: 0.1, 1: 0.5, 2: 0.8}
    rows = [row("supervised", s, v) for s, v in first.items()]
    rows += [row("adversarial", s, v + 0.1) for s, v in first.items()]
    text = theorems.table(rows)
    assert re.search(r"\| supervised \| 3 \| 46.7 ± 87.2 % \|", text), text
    assert "| supervised | 10.0 ± 0.0 % | 0.0 ± 0.0 % |" in text


def test_engines_are_alike_if_seeds_differ_more():
    one = [{"loss": 1.0, "seconds": 5.0}, {"loss": 2.0, "seconds": 6.0}]
    near, far = ([{"loss": v, "seconds": 60.0} for v in some] for some in ((1.5, 3.4), (4.0, 4.5)))
    text = theorems.compare({"sequential": one, "ray": near})
    assert "| loss | 1.500 (1.000 to 2.000) | 2.450 (1.500 to 3.400) | 0.950 | 1.900 |" in text
    assert text.endswith("\nWithin seed spread.")
    assert theorems.compare({"sequential": one, "ray": far}).endswith("Not within seed spread.")


def test_speed_is_measured(capsys):
    theorems.main(["speed", "--batches", "2", "--least", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    for line in lines[2:]:
        rates = [float(x.replace(",", "")) for x in line.split("|")[3:-1]]
        assert len(rates) == 4 and rates[3] >= rates[0] and all(rate >= 0 for rate in rates)
