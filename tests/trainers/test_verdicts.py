"""Measures of a verifier against loops that say what they mean."""

import itertools

import pytest
import torch
from tensordict import TensorDict

from pvg.language.pool import ROLES, VERDICTS
from pvg.trainers.verdicts import auc, best_of, calibration, measure


def attempts(n=120, seed=0, problems=12):
    """Random rows and scores; scores repeat, so that there are ties."""
    draw = torch.Generator().manual_seed(seed)

    def pick(k):
        return torch.randint(k, (n,), generator=draw)

    rows = TensorDict({"problem": pick(problems) * 3, "role": pick(2), "verdict": pick(3)}, [n])
    return rows, (pick(21) - 9) / 4.0


def plain(rows, score):
    return [
        (p, ROLES[r], VERDICTS[v], s)
        for p, r, v, s in zip(*(rows[k].tolist() for k in ("problem", "role", "verdict")), score.tolist())
    ]


def share(items, hit):
    items = list(items)
    return sum(map(hit, items)) / len(items)


@pytest.mark.parametrize("seed", range(5))
def test_auc_is_the_chance_that_a_right_one_scores_higher(seed):
    draw = torch.Generator().manual_seed(seed)
    right, wrong = (torch.randint(9, (n,), generator=draw) + shift for n, shift in ((13, 2), (29, 0)))
    pairs = list(itertools.product(right.tolist(), wrong.tolist()))
    assert auc(right.float(), wrong.float()) == pytest.approx(
        share(pairs, lambda p: (p[0] > p[1]) + (p[0] == p[1]) / 2)
    )


def test_auc_at_its_ends():
    low, high = torch.arange(4.0), torch.arange(10.0, 13.0)
    assert (auc(high, low), auc(low, high), auc(low, low)) == (1.0, 0.0, 0.5)
    assert auc(high, low[:0]) is None and auc(low[:0], high) is None


@pytest.mark.parametrize("seed", range(3))
def test_rates_are_counts(seed):
    rows, score = attempts(seed=seed)
    found, each = measure(rows, score), plain(rows, score)

    def of(role=None, verdict=None):
        return [e for e in each if role in (None, e[1]) and verdict in (None, e[2])]

    def accepted(e):
        return e[3] > 0

    wanted = {
        "helpful/accuracy": share(of("helpful"), lambda e: e[2] == "right"),
        "sneaky/wrong": share(of("sneaky"), lambda e: e[2] == "wrong"),
        "unparseable": share(each, lambda e: e[2] == "unparseable"),
        "fooled": share(of("sneaky", "wrong"), accepted),
        "auc": share(
            itertools.product(of(None, "right"), of(None, "wrong")),
            lambda p: (p[0][3] > p[1][3]) + (p[0][3] == p[1][3]) / 2,
        ),
        "balanced_accuracy": share(of(None, "right"), accepted) / 2
        + share(of(None, "wrong"), lambda e: not accepted(e)) / 2,
    }
    for role, verdict in itertools.product(("helpful", "sneaky"), ("right", "wrong")):
        wanted[f"accepts/{role}/{verdict}"] = share(of(role, verdict), accepted)
    assert found == pytest.approx(wanted, abs=1e-6)


def test_a_share_of_nothing_is_none():
    rows, score = attempts()
    helpful = rows["role"] == ROLES.index("helpful")
    found = measure(rows[helpful], score[helpful])
    assert found["fooled"] is None and found["sneaky/wrong"] is None and found["helpful/accuracy"] is not None
    lost = rows["verdict"] == VERDICTS.index("unparseable")
    found = measure(rows[lost], score[lost])
    assert found["auc"] is None and found["balanced_accuracy"] is None and found["unparseable"] == 1.0
    assert best_of(rows[lost & ~helpful], score[lost & ~helpful]) == dict.fromkeys(best_of(rows, score))
    assert calibration(rows[lost], score[lost]) == {"calibration_error": None}


@pytest.mark.parametrize("seed", range(3))
def test_best_of_n_by_a_loop_over_problems(seed):
    rows, _ = attempts(seed=seed, n=60)
    score = torch.randn(60, generator=torch.Generator().manual_seed(seed))  # no ties
    each, best, any_right, fair = plain(rows, score), [], [], []
    for problem in sorted({e[0] for e in each}):
        own = [e for e in each if e[0] == problem]
        helpful = [e for e in own if e[1] == "helpful"]
        if helpful:
            best.append(max(helpful, key=lambda e: e[3])[2] == "right")
            any_right.append(any(e[2] == "right" for e in helpful))
        right, wrong = ([e for e in own if e[2] == v] for v in ("right", "wrong"))
        n = min(len(right), len(wrong))
        if n:
            fair.append(max(right[:n] + wrong[:n], key=lambda e: e[3])[2] == "right")
    found = best_of(rows, score)
    assert found == pytest.approx(
        {
            "best_of_n": share(best, bool),
            "pass_at_n": share(any_right, bool),
            "balanced_best_of_n": share(fair, bool),
        }
    )
    assert found["best_of_n"] <= found["pass_at_n"]


def test_a_verifier_that_knows_is_always_right_and_one_that_guesses_half_the_time():
    rows, _ = attempts(n=4000, problems=400)
    truth = (rows["verdict"] == VERDICTS.index("right")).float() * 2 - 1
    found = best_of(rows, truth)
    assert found["best_of_n"] == found["pass_at_n"] and found["balanced_best_of_n"] == 1.0
    guess = torch.rand(4000, generator=torch.Generator().manual_seed(0))
    assert abs(best_of(rows, guess)["balanced_best_of_n"] - 0.5) < 0.1
    assert measure(rows, truth)["auc"] == 1.0 and measure(rows, truth)["fooled"] == 0.0


def test_calibration_by_hand_and_in_the_limit():
    score = torch.logit(torch.tensor([0.1, 0.2, 0.6, 0.9]))
    rows = TensorDict({"verdict": torch.tensor([0, 1, 1, 1])}, [4])  # wrong, right, right, right
    wanted = (abs(0.15 - 0.5) * 2 + abs(0.75 - 1.0) * 2) / 4
    shuffled = torch.tensor([2, 0, 3, 1])
    found = calibration(rows[shuffled], score[shuffled], bins=2)["calibration_error"]
    assert found == pytest.approx(wanted, abs=1e-6)
    draw = torch.Generator().manual_seed(0)
    belief = torch.rand(20_000, generator=draw)
    right = (torch.rand(20_000, generator=draw) < belief).long()
    assert calibration(TensorDict({"verdict": right}, [20_000]), belief.logit())["calibration_error"] < 0.015
    sure = calibration(TensorDict({"verdict": right}, [20_000]), 3 * belief.logit())["calibration_error"]
    assert sure > 0.1
