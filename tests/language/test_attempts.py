"""Tasks and their seeds, and the summary against one counted by hand."""

import random
from collections import Counter

import torch

from pvg.language.attempts import WANTED, Attempt, attempt_seed, summary, tasks
from tests.language.test_queue import TIMES


def test_tasks_of_a_role_and_problem():
    prompts = {"helpful": {4: [1], 2: [2]}, "sneaky": {4: (3, 3), 2: (4,)}}
    made = tasks([4, 2], prompts, 2, most=9)
    assert [t.key for t in made] == list(range(8)) and {t.most for t in made} == {9}
    each = Counter((t.role, t.problem, t.prompt) for t in made)
    expected = [("helpful", 4, (1,)), ("helpful", 2, (2,)), ("sneaky", 4, (3, 3)), ("sneaky", 2, (4,))]
    assert each == dict.fromkeys(expected, 2)


def test_seeds_are_all_different_and_fit_every_library():
    seeds = {attempt_seed(s, t, n) for s in range(5) for t in range(200) for n in range(20)}
    assert len(seeds) == 20_000 and all(0 <= s < 2**63 for s in seeds)
    assert abs(sum(s >> 62 for s in seeds) - 10_000) < 400
    torch.Generator().manual_seed(max(seeds))


def attempt(task, number, role, verdict):
    nothing = dict(problem=0, seed=0, tokens=[], log_probs=[], ended=True, version=0, last_version=0)
    success = verdict == WANTED[role]
    return Attempt(
        task=task, number=number, role=role, verdict=verdict, success=success, answer="", **nothing, **TIMES
    )


def test_the_summary_of_a_handful():
    histories = {
        ("helpful", 0): ["right"],
        ("helpful", 1): ["wrong", "unparseable", "right"],
        ("helpful", 2): ["wrong", "wrong", "wrong"],
        ("helpful", 3): ["unparseable", "right"],
        ("sneaky", 4): ["wrong"],
    }
    made = [attempt(t, n, role, v) for (role, t), h in histories.items() for n, v in enumerate(h)]
    random.Random(0).shuffle(made)
    found = summary(made, {**WANTED, "translator": "right"})
    assert found["helpful"] == {
        "tasks": 4,
        "attempts": 9,
        "success_at_1": 1 / 4,
        "success_at_k": 3 / 4,
        "give_ups": 1,
        "verdicts": {"right": 3, "wrong": 4, "unparseable": 2},
        "unparseable": 2 / 9,
        "tries": {1: 1, 2: 1, 3: 2},
    }
    assert found["sneaky"]["success_at_1"] == found["sneaky"]["success_at_k"] == 1
    assert found["translator"]["tasks"] == 0 and found["translator"]["success_at_1"] is None
    assert list(found) == ["helpful", "sneaky", "translator"]
