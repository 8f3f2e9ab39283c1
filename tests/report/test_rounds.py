"""The report of rounds, against what its words say."""

from types import SimpleNamespace

import pytest

from pvg.language.engine import Counts
from pvg.report.rounds import engine_report, rounds_markdown, rounds_table, steps_to_exploit


def attack(*fooled, r=0):
    return [
        {"what": "attack", "round": r, "step": k, "fooled": f, "kl": 0.1 * k} for k, f in enumerate(fooled)
    ]


@pytest.mark.parametrize(
    "fooled, wanted",
    [
        ((0.0, 0.1, 0.2, 0.3), None),
        ((0.5, 0.5, 0.5), 3),
        ((0.0, 0.9, 0.0, 0.0, 0.9, 0.6, 0.0), 6),  # one high one is not enough
        ((None, 1.0, 1.0, 0.0), 3),  # an iteration without wrong answers fools nobody
        ((1.0, 1.0), None),
        ((), None),
    ],
)
def test_steps_to_exploit(fooled, wanted):
    assert steps_to_exploit(attack(*fooled)) == wanted


RECORDS = [
    {"what": "start", "round": 0, "helpful/accuracy": 0.912, "fooled": None},
    {"what": "checked", "round": 0, "helpful/accuracy": 0.9, "auc": 0.87654},
    *attack(0.6, 0.6, 0.6, 0.6, r=0),
    {"what": "attacked", "round": 0, "fooled": 0.61},
    {"what": "checked", "round": 1, "fooled": 0.05},
    *attack(0.0, 0.0, 0.0, r=1),
    {"what": "attacked", "round": 1, "fooled": 0.1},
]


def test_a_row_a_measurement_with_the_steps_of_its_own_attack():
    rows = rounds_table(RECORDS)
    assert [(r["what"], r["round"]) for r in rows] == [
        ("start", 0),
        ("checked", 0),
        ("attacked", 0),
        ("checked", 1),
        ("attacked", 1),
    ]
    assert [r.get("steps_to_exploit") for r in rows] == [None, None, 3, None, None]
    assert rows[2]["kl"] == pytest.approx(0.3) and rows[4]["kl"] == pytest.approx(0.2)
    assert "kl" not in RECORDS[6]  # records stay as they are


def test_markdown_has_a_line_a_row_of_as_many_cells():
    lines = rounds_markdown(SimpleNamespace(records=RECORDS)).strip().split("\n")[2:]
    assert len(lines) == 2 + 5 and len({line.count("|") for line in lines}) == 1
    assert "| 91.2 % |" in lines[2] and lines[2].startswith("| 0 | supervised start |") and "–" in lines[2]
    assert "| 0.877 |" in lines[3] and "| 3 | 0.300 |" in lines[4]


def test_figures_of_an_engine():
    counts = Counts(
        tokens=900, steps=10, busy=60, slots=80, seconds=2.0, waits=[float(i) for i in range(101)]
    )
    counts.fallbacks.append("vllm: gone")
    found = engine_report(counts)
    assert (found["tokens"], found["tokens_per_s"], found["occupancy"]) == (900, 450.0, 0.75)
    assert (found["wait_p50"], found["wait_p95"]) == (50.0, 95.0) and found["fallbacks"] == ["vllm: gone"]
    idle = engine_report(Counts())
    assert idle["tokens_per_s"] is None and idle["occupancy"] is None and idle["wait_p95"] == 0.0
