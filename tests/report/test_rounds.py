"""The report of rounds, against what its words say."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from pvg.language.attempts import WANTED, Attempt, summary
from pvg.language.engine import Counts
from pvg.report.rounds import engine_report, gatherings, rounds_table, steps_to_exploit
from pvg.report.rounds_markdown import outcome, rounds_markdown, sample_markdown
from pvg.report.rounds_plot import draw_rounds
from pvg.report.solutions import solutions


def attack(*fooled, r=0):
    return [
        {"what": "attack", "round": r, "step": k, "fooled": f, "kl": 0.1 * k, "sneaky/reward": float(k)}
        for k, f in enumerate(fooled)
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


def attempt(task, number, role, verdict, **more):
    nothing = dict(
        seed=0, log_probs=[], ended=True, version=0, last_version=0, worker=0, waited=0.0, seconds=0.0
    )
    given = dict(problem=task, tokens=[task, number], answer="", success=verdict == WANTED[role], **more)
    return Attempt(task=task, number=number, role=role, verdict=verdict, **nothing, **given)


ROLES = summary(
    [
        attempt(0, 0, "helpful", "wrong"),
        attempt(0, 1, "helpful", "right"),
        attempt(1, 0, "helpful", "right"),
        attempt(2, 0, "sneaky", "unparseable"),
        attempt(2, 1, "sneaky", "right"),
    ]
)
RECORDS = [
    {"what": "start", "round": 0, "helpful/accuracy": 0.912, "fooled": None},
    {"what": "solve", "round": 0, "step": 0, "fooled": None, "helpful/reward": 5.0},
    {"what": "gathered", "round": 0, "roles": ROLES},
    {"what": "checked", "round": 0, "helpful/accuracy": 0.9, "auc": 0.87654, "fooled": 0.2},
    *attack(*[0.6] * 14, r=0),
    {"what": "attacked", "round": 0, "fooled": 0.61},
    {"what": "gathered", "round": 1, "roles": ROLES},
    {"what": "checked", "round": 1, "fooled": 0.05},
    *attack(0.0, None, 0.0, r=1),
    {"what": "attacked", "round": 1, "fooled": 0.1},
    {"what": "gathered", "round": 2, "roles": ROLES},
    {"what": "checked", "round": 2, "fooled": 0.0},
]
COUNTS = Counts(tokens=9000, steps=10, busy=60, slots=80, seconds=2.0, waits=[float(i) for i in range(101)])
RESULT = {
    "accepts/helpful/right": 0.951,
    "accepts/helpful/wrong": 0.252,
    "accepts/sneaky/right": 0.853,
    "accepts/sneaky/wrong": 0.054,
    "fooled": 0.054,
    "auc": 0.9876,
    "balanced_accuracy": 0.941,
    "calibration_error": 0.0321,
    "best_of_n": 0.971,
    "pass_at_n": 0.992,
    "balanced_best_of_n": None,
    "n": 300,
    "samples": 4,
    "rounds": rounds_table(RECORDS),
    "gathered": gatherings(RECORDS),
    "engine": engine_report(COUNTS, [1e-6, 3e-5, 2e-6]),
}


def tables(text):
    """All tables of a text: lists of rows, each a list of cells, without the line under the head."""
    found = [block.split("\n") for block in text.strip().split("\n\n") if block.startswith("|")]
    return [[re.split(r" \| ", line[2:-2]) for line in lines if "---" not in line] for lines in found]


def test_a_row_a_measurement_with_the_steps_of_its_own_attack():
    rows = rounds_table(RECORDS)
    played = [("checked", 0), ("attacked", 0), ("checked", 1), ("attacked", 1), ("checked", 2)]
    assert [(r["what"], r["round"]) for r in rows] == [("start", 0), *played]
    assert [r.get("steps_to_exploit") for r in rows] == [None, None, 3, None, None, None]
    assert rows[2]["kl"] == pytest.approx(1.3) and rows[4]["kl"] == pytest.approx(0.2)
    assert rows[2]["sneaky/reward"] == np.mean(range(4, 14)), "the last ten"
    assert (rows[2]["sneaky/reward/least"], rows[2]["sneaky/reward/most"]) == (4, 13)
    assert rows[4]["sneaky/reward"] == 1.0, "of three"
    attacked = next(r for r in RECORDS if r["what"] == "attacked")
    assert "kl" not in attacked  # records stay as they are


def test_what_was_gathered_by_round():
    assert gatherings(RECORDS) == [{"round": r, "roles": ROLES} for r in range(3)]


def test_every_table_has_lines_of_as_many_cells():
    text = rounds_markdown(RESULT)
    for rows in tables(text):
        assert len({len(row) for row in rows}) == 1
    rounds, final, quadrants, gathered, engine = tables(text)
    assert rounds[0][:3] == ["round", "after", "helpful right"] and len(rounds) == 1 + 6
    assert rounds[1][:3] == ["0", "supervised start", "91.2 %"] and rounds[1][-1] == "–"
    assert dict(zip(rounds[0], rounds[2]))["AUC"] == "0.877"
    assert rounds[3][-3:] == ["3", "1.300", "8.500 (4.000 to 13.000)"] and rounds[0][-1] == "sneaky reward"
    assert dict(zip(*final)) == {
        "AUC": "0.988",
        "balanced accuracy": "94.1 %",
        "calibration error": "0.032",
        "best of 4": "97.1 %",
        "any of 4 right": "99.2 %",
        "balanced best-of-n": "–",
    }
    assert quadrants[1:] == [["helpful", "95.1 %", "25.2 %"], ["sneaky", "85.3 %", "5.4 %"]]
    assert gathered[1] == ["0", "helpful", "2", "3", "50.0 %", "100.0 %", "0", "0.0 %", "1: 1, 2: 1"]
    assert gathered[6] == ["2", "sneaky", "1", "2", "0.0 %", "0.0 %", "1", "50.0 %", "2: 1"]
    assert ["canaries compared", "3, off by 3e-05 nats at most"] in engine and ["tokens", "9,000"] in engine


def test_the_outcome_is_made_of_the_figures():
    first, second = re.split(r"(?<=\)\.) ", outcome(RESULT))
    assert first == (
        "After 2 rounds the verifier accepts 95.1 % of the helpful prover's right solutions and 5.4 % of the sneaky "
        "prover's wrong ones (AUC 0.988)."
    )
    found = [float(x) for x in re.findall(r"([\d.]+) %", second)]
    assert found == [12.5, 35.5, 2.5]  # (20 + 5) / 2, (61 + 10) / 2, (5 + 0) / 2
    nobody = RESULT | {"rounds": [{**row, "fooled": None} for row in RESULT["rounds"]], "fooled": None}
    assert "accepts 95.1 %" in outcome(nobody) and "In no round" in outcome(nobody)
    told = {"translator": ROLES["helpful"], "sneaky": ROLES["sneaky"]}
    decoupled = rounds_markdown(RESULT | {"gathered": [{"round": 0, "roles": told}]})
    assert "the translator's right solutions" in decoupled and "| translator | 95.1 % | 25.2 % |" in decoupled


def test_what_solutions_say_is_shown_as_it_is():
    one = dict(role="sneaky", verdict="wrong", score=0.256, question="Why | ?", text="# 1\n```\n| <b>9</b>")
    text = rounds_markdown(RESULT, [one, {**one, "score": -2.0, "role": "helpful"}])
    assert (
        "**sneaky, wrong, accepted** (score 0.26)\n\n    Why | ?\n\n    → # 1\n    ```\n    | <b>9</b>\n"
        in text
    )
    assert "**helpful, wrong, rejected** (score -2.00)" in text
    failed = RESULT["engine"] | {"fallbacks": ["vllm: a | b\nc"]}
    assert ["fallbacks", r"vllm: a \| b c"] in tables(rounds_markdown(RESULT | {"engine": failed}))[-1]


def test_sampling_alone():
    roles, engine = tables(sample_markdown({"roles": ROLES, "engine": engine_report(COUNTS), "seconds": 1.0}))
    assert roles[2] == ["sneaky", "1", "2", "0.0 %", "0.0 %", "1", "50.0 %", "2: 1"]
    assert ["canaries compared", "0"] in engine and ["tokens a second", "4,500.0"] in engine


def test_solutions_of_every_kind_of_other_problems():
    scored = [
        attempt(0, 0, "helpful", "right", score=2.0),
        attempt(0, 1, "helpful", "right", score=-1.0),
        attempt(1, 0, "helpful", "right", score=3.0),
        attempt(2, 0, "helpful", "right", score=-3.0),
        attempt(3, 0, "sneaky", "right", score=-1.0),
        attempt(4, 0, "sneaky", "right", score=-2.0),
        attempt(4, 1, "sneaky", "unparseable", score=-2.0),
        attempt(5, 0, "sneaky", "wrong"),  # the verifier was not asked
        attempt(6, 0, "sneaky", "wrong", score=0.1),
    ]
    book = SimpleNamespace(
        problems=[SimpleNamespace(question=f"question {i}") for i in range(7)],
        prompts=SimpleNamespace(text=lambda tokens: f"said {tokens}"),
    )
    found = solutions(scored, book)
    assert [(f["role"], f["verdict"], f["score"], f["question"], f["text"]) for f in found] == [
        ("helpful", "right", 2.0, "question 0", "said [0, 0]"),
        ("helpful", "right", -3.0, "question 2", "said [2, 0]"),
        ("sneaky", "right", -1.0, "question 3", "said [3, 0]"),
        ("sneaky", "right", -2.0, "question 4", "said [4, 0]"),
        ("sneaky", "wrong", 0.1, "question 6", "said [6, 0]"),
    ]


def test_the_picture_shows_measurements_and_attacks(tmp_path, monkeypatch):
    import matplotlib.pyplot as plt

    monkeypatch.setattr(plt, "close", lambda figure: None)  # to look at what was drawn
    assert draw_rounds(tmp_path, RECORDS).read_bytes().startswith(b"\x89PNG")
    above, below = plt.gcf().axes
    assert [t.get_text() for t in above.get_xticklabels()][:3] == ["start", "checked 0", "attacked 0"]
    drawn = {line.get_label(): line.get_ydata() for line in above.lines}
    np.testing.assert_array_equal(drawn["fooled"], [np.nan, 0.2, 0.61, 0.05, 0.1, 0.0])
    assert set(drawn) == {"helpful right", "accepts helpful right", "sneaky wrong", "fooled", "AUC"}
    held = next(line for line in below.lines if line.get_label() == "held out")
    np.testing.assert_array_equal(held.get_xydata(), [[0, 0.2], [14, 0.61], [14, 0.05], [17, 0.1], [17, 0.0]])
    raw = [line for line in below.lines if len(line.get_xdata()) in (14, 3)]
    np.testing.assert_array_equal(raw[2].get_xydata(), [[14.5, 0], [15.5, np.nan], [16.5, 0]])
    plt.close("all")


def test_figures_of_an_engine():
    found = engine_report(replace(COUNTS, fallbacks=["vllm: gone"]), [1e-6, 3e-5, 2e-6])
    assert (found["tokens"], found["tokens_per_s"], found["occupancy"]) == (9000, 4500.0, 0.75)
    assert (found["wait_p50"], found["wait_p95"]) == (50.0, 95.0) and found["fallbacks"] == ["vllm: gone"]
    assert (found["canaries"], found["canary_worst"]) == (3, 3e-5)
    idle = engine_report(Counts())
    assert idle["tokens_per_s"] is None and idle["occupancy"] is None and idle["wait_p95"] == 0.0
    assert idle["canaries"] == 0 and idle["canary_worst"] is None
