"""Attempts as tensors, against lists."""

from collections import Counter

import pytest
import torch

from pvg.agents.language import texts
from pvg.language.attempts import Attempt
from pvg.language.pool import ROLES, VERDICTS, asked, pairs, pool


def attempt(i, role="helpful", verdict="right", problem=0, tokens=None):
    tokens = [3 + i, 4, 1] if tokens is None else tokens
    said = [-0.5 - j for j in range(len(tokens))]
    return Attempt(i, role, problem, 0, i, tokens, said, True, 0, 0, 0, 0.0, 0.0, "1", verdict, True)


def some(n=40, seed=0, problems=5):
    draw = torch.Generator().manual_seed(seed)

    def pick(k):
        return int(torch.randint(k, (), generator=draw))

    return [
        attempt(
            i, ROLES[pick(2)], VERDICTS[pick(3)], pick(problems), [2 + pick(9) for _ in range(1 + pick(6))]
        )
        for i in range(n)
    ]


def test_a_pool_holds_what_the_attempts_hold():
    given = some()
    rows = pool(given, 8)
    assert rows.batch_size == (40,) and rows["answer"].shape == rows["log_probs"].shape == (40, 8)
    for a, row in zip(given, rows):
        n = len(a.tokens)
        assert row["answer"].tolist() == a.tokens + [0] * (8 - n)
        assert row["said"].tolist() == [True] * n + [False] * (8 - n)
        assert row["log_probs"][:n].tolist() == pytest.approx(a.log_probs) and not row["log_probs"][n:].any()
        assert (row["problem"], row["task"]) == (a.problem, a.task)
        assert (ROLES[row["role"]], VERDICTS[row["verdict"]]) == (a.role, a.verdict)
    empty = pool([], 8)
    assert len(empty) == 0 and empty["answer"].shape == (0, 8) and empty["problem"].dtype == torch.long


def test_prompts_are_put_before_answers_as_texts_does():
    given = some()
    prompts = {p: [20 + p] * (1 + 3 * p % 7) for p in range(5)}
    batch = asked(pool(given, 8), lambda p, i: [*prompts[p], 30 + i])
    wanted = texts([[*prompts[a.problem], 30 + i] for i, a in enumerate(given)], [a.tokens for a in given])
    for key in ("tokens", "there", "start"):
        assert torch.equal(batch[key], wanted[key]), key
    wide = wanted["answer"].shape[1]
    assert torch.equal(batch["answer"][:, :wide], wanted["answer"])
    assert torch.equal(batch["said"][:, :wide], wanted["said"]) and not batch["said"][:, wide:].any()
    assert torch.equal(batch["role"], pool(given, 8)["role"])


def test_pairs_are_all_of_a_right_and_a_wrong_answer_to_one_problem():
    given = some(30, seed=1), some(50, seed=2)
    both, weights = pairs([pool(g, 8) for g in given])
    wanted, offset = set(), 0
    for g in given:
        wanted |= {
            (offset + i, offset + j)
            for i, a in enumerate(g)
            for j, b in enumerate(g)
            if (a.verdict, b.verdict) == ("right", "wrong") and a.problem == b.problem
        }
        offset += len(g)
    assert {tuple(p) for p in both.tolist()} == wanted and len(both) == len(wanted) == len(weights)


def test_pools_weigh_the_same_and_each_role_is_right_as_often_as_wrong():
    def answers(role, verdict, n):
        return [attempt(0, role, verdict) for _ in range(n)]

    first = answers("helpful", "right", 9) + answers("helpful", "wrong", 1) + answers("sneaky", "right", 2)
    first += answers("sneaky", "wrong", 6)
    second = answers("translator", "right", 3) + answers("translator", "wrong", 2)
    second += answers("sneaky", "wrong", 20)  # never right: pairs with it would tell its style
    given = first + second
    both, weights = pairs([pool(first, 4), pool(second, 4)])
    says = Counter()
    for (i, j), weight in zip(both.tolist(), weights.tolist()):
        for place, verdict in ((i, "right"), (j, "wrong")):
            says[place >= len(first), given[place].role, verdict] += weight
    for part, role in ((False, "helpful"), (False, "sneaky"), (True, "translator")):
        assert (
            says[part, role, "right"] == pytest.approx(says[part, role, "wrong"], abs=1e-5)
            and says[part, role, "right"]
        )
    assert says[True, "sneaky", "wrong"] == 0
    # 9 + 12 pairs within roles, 2 of a helpful wrong one, 54 the other way round that weigh as much as those 2
    assert says[False, "helpful", "right"] == pytest.approx((9 + 2) / (9 + 12 + 2 + 2), abs=1e-5)
    one_way = answers("helpful", "right", 2) + answers("sneaky", "wrong", 2)
    assert pairs([pool(one_way, 4)])[1].tolist() == [0.25] * 4


def test_a_pool_without_pairs_weighs_nothing():
    lonely = [
        attempt(0, "helpful", "right", 1),
        attempt(1, "sneaky", "wrong", 2),
        attempt(2, verdict="unparseable"),
    ]
    both, weights = pairs([pool(lonely, 4)])
    assert both.shape == (0, 2) and weights.shape == (0,)
    both, weights = pairs([pool(lonely, 4), pool([attempt(0), attempt(1, verdict="wrong")], 4)])
    assert both.tolist() == [[3, 4]] and weights.tolist() == [1.0]
