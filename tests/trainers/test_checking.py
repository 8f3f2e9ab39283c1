"""A verifier learns from the provers' solutions, and its threshold passes as many honest ones as were asked for."""

import random
from types import SimpleNamespace

import pytest
import torch

from pvg.agents.family import Family
from pvg.envs.mistakes import corrupt
from pvg.envs.word_sources import problems
from pvg.errors import UserError
from pvg.language.pool import pool
from pvg.trainers.checking import Checking, Reader
from pvg.trainers.supervised import Descent, Optimiser
from pvg.trainers.verdicts import auc


@pytest.fixture
def cast():
    return Family().make(problems(count=400), 0, "cpu")


def solutions(book, part, honest=True):
    """Of every problem of a part a right solution by the helpful prover and a wrong one by the sneaky one."""
    chance, made = random.Random(0), []
    for p in book.parts[part]:
        for role, verdict in (("helpful", "right"), ("sneaky", "wrong")):
            text = book.problems[p].solution if verdict == "right" else corrupt(book.problems[p], chance)
            tokens = book.solution(text)
            told = dict(problem=p, task=len(made), role=role, verdict=verdict, log_probs=[0.0] * len(tokens))
            made.append(SimpleNamespace(tokens=tokens, **told))
    return made if honest else [a for a in made if a.role == "sneaky"]


def told_apart(reader, rows):
    score = reader.scores(rows)
    return auc(score[rows["verdict"] == 1], score[rows["verdict"] == 0])


def test_it_learns_what_is_right_and_draws_its_line(cast):
    torch.manual_seed(0)
    how = Checking(steps=250, accept=0.8, descent=Descent(learning_rate=4e-3, batch=64))
    reader = Reader(cast.verifier, cast.book, how)
    learned, aside = (
        pool(solutions(cast.book, part), cast.book.most) for part in ("verifier", "calibration")
    )
    reader.take(torch.cat([learned, aside]))
    before = told_apart(reader, learned)
    optimiser, draw = Optimiser(cast.verifier, how.descent, how.steps), torch.Generator().manual_seed(0)
    for _ in range(how.steps):
        found = reader.step(optimiser, draw)
    assert before < 0.75 and told_apart(reader, learned) > 0.9 and found["pairs_right"] > 0.9
    reader.settle()
    owed = reader.scores(aside[aside["verdict"] == 1])
    assert float((owed > 0).float().mean()) == pytest.approx(0.8, abs=1.5 / len(owed))


def test_calibration_problems_are_never_learned_from(cast):
    reader = Reader(cast.verifier, cast.book, Checking(steps=1))
    reader.take(pool(solutions(cast.book, "calibration"), cast.book.most))
    with pytest.raises(UserError, match="nothing for the verifier to learn"):
        reader.step(Optimiser(cast.verifier, Descent(), 1), torch.Generator())


def test_without_an_honest_solution_there_is_no_line(cast):
    reader = Reader(cast.verifier, cast.book, Checking())
    reader.take(pool(solutions(cast.book, "calibration", honest=False), cast.book.most))
    with pytest.raises(UserError, match="none of the calibration problems right"):
        reader.settle()
