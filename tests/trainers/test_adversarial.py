"""Generator against prover: rewards by hand, determinism, resuming, routes, and a report that verifies."""

import json
import re
import shutil
import subprocess
from collections import Counter

import pytest
import torch

from pvg.envs.candidates import Move
from pvg.envs.derivations import Proof
from pvg.formal.proofs import Verifier
from pvg.formal.prop import PATH
from pvg.formal.reader import read_text
from pvg.trainers import theorem_rewards as rewards
from pvg.trainers.adversarial import Adversarial
from pvg.trainers.theorem_rewards import Outcomes
from pvg.trainers.theorem_roles import Experience, Theorem
from pvg.trainers.theorem_setups import SETUPS
from tests.cli import finish, start

SMALL = (  # noqa: SIM905
    "experiment=adversarial tracker=csv env.moves=4 env.until=prefix-r env.longest=16 trainer.iterations=4 "
    "trainer.warm=2 trainer.games=6 trainer.attempts=2 trainer.samples=2 trainer.every=2 "
    "trainer.imitation.updates=2 checkpoint_every=1 env.database=small.mm env.test=3"
).split()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "small.mm").write_text(PATH.read_text())
    return tmp_path


def outcomes(**changes):
    whole = {
        "failed": [0.75, 0.0],
        "seen": [3.0, 1.0],
        "size": [10.0, 5.0],
        "depth": [4.0, 2.0],
        "steps": [5.0, 2.0],
    }
    return Outcomes(*(torch.tensor(changes.get(name, value)) for name, value in whole.items()))


def test_rewards_by_hand():
    assert rewards.novel(outcomes(), length=0.01).tolist() == pytest.approx([0.25 - 0.1, -0.05])
    assert rewards.failed(outcomes()).tolist() == [1.0, 0.0]
    assert rewards.frontier(outcomes(), length=0.0).tolist() == pytest.approx([4 * 0.75 * 0.25 / 3, 0.0])
    assert rewards.size_by_depth(outcomes()).tolist() == pytest.approx([4 / 10 / 3, 2 / 5])
    assert rewards.conditional(outcomes()).tolist() == [1.0, 0.0]
    assert rewards.is_token(rewards.conditional) and not rewards.is_token(rewards.novel)
    assert not rewards.reads_outcomes(rewards.size_by_depth)
    for reward in (rewards.novel, rewards.failed, rewards.frontier, rewards.conditional):
        assert rewards.reads_outcomes(reward), reward


def test_depth_is_the_longest_chain():
    assert rewards.depths([(), (), (0, 1), (2,), (0, 3)]).tolist() == [1, 1, 2, 3, 4]


def test_routes_are_between_roles_that_are_there():
    assert len(SETUPS) == 8 and SETUPS["none"] == frozenset()
    for name, routes in SETUPS.items():
        sends = {route.sender for route in routes}
        if any(route.receiver == "prover actor" for route in routes):
            assert "generator actor" in sends, name
        if "prover actor" in sends:
            assert any(route.receiver == "prover actor" for route in routes), name
    assert not any(route.receiver == "prover trainer" for route in SETUPS["fixed_prover"])
    assert not any(route.receiver == "generator trainer" for route in SETUPS["fixed_generator"])


def results(run):
    found = json.loads((run / "result.json").read_text())
    return {k: v for k, v in found.items() if "minutes" not in k and k != "rejections"}


def rows(run):
    head, *lines = (run / "metrics.csv").read_text().splitlines()
    names = head.split(",")
    timed = {k for k, name in enumerate(names) if "share/" in name or name == "seconds"}
    return [[x for k, x in enumerate(line.split(",")) if k not in timed] for line in lines]


@pytest.fixture(scope="module")
def reference(pvg, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    (folder / "small.mm").write_text(PATH.read_text())
    pvg(*SMALL, "folder=run", folder=folder).ok()
    return folder / "run"


def test_the_same_seed_gives_the_same_run(pvg, reference, folder):
    """In a fresh process, too, whose sets have another order."""
    finish(start(*SMALL, "folder=run", folder=folder, PYTHONHASHSEED="5"), folder).ok()
    assert results(folder / "run") == results(reference) and rows(folder / "run") == rows(reference)
    pvg(*SMALL, "folder=other", "seed=1", folder=folder).ok()
    assert rows(folder / "other") != rows(reference)


def cut_off(run, step):
    """What a run that was killed behind a step has, or behind its first one that is kept."""
    (run / "result.json").unlink()
    paths = {int(re.findall(r"\d+", path.name)[0]): path for path in (run / "checkpoints").iterdir()}
    kept = [number for number in paths if number <= step] or [min(paths)]
    for number, path in paths.items():
        if number not in kept:
            path.unlink()


@pytest.mark.parametrize("step", [1, 3])
def test_a_resumed_run_equals_one_that_was_never_stopped(pvg, reference, folder, step):
    pvg(*SMALL, "folder=run", folder=folder).ok()
    run = folder / "run"
    cut_off(run, step)
    pvg("resume=run", folder=folder).ok()
    assert results(run) == results(reference) and rows(run) == rows(reference)


def test_reported_theorems_verify_behind_the_database(reference):
    text = (reference / "report.md").read_text()
    blocks = re.findall(r"^```\n(.*?)^```", text, re.M | re.S)
    assert blocks
    labels = re.findall(r"(generated-\d+) \$p", text)
    assert len(labels) == len(set(labels)) == len(blocks)
    database = read_text(PATH.read_text() + "\n".join(blocks))
    verify = Verifier(database)
    assert all(verify(database.labels[label]) for label in labels)


def test_metamath_itself_accepts_the_reported_theorems(reference, tmp_path):
    program = shutil.which("metamath")
    if program is None:
        pytest.skip("Debian's metamath is not installed")
    blocks = re.findall(r"^```\n(.*?)^```", (reference / "report.md").read_text(), re.M | re.S)
    (tmp_path / "whole.mm").write_text(PATH.read_text() + "\n".join(blocks))
    commands = [program, f'read "{tmp_path}/whole.mm"', "verify proof *", "exit"]
    said = subprocess.run(commands, capture_output=True, text=True, timeout=120).stdout
    assert "All proofs in the database were verified" in said and "?Error" not in said, said[-2000:]


def test_a_name_goes_on_with_its_run_and_with_no_other(pvg, reference, folder):
    named = [*SMALL, "exp_id=first"]
    pvg(*named, "folder=run", folder=folder).ok()
    run = folder / "run"
    cut_off(run, 2)
    pvg(*named, "folder=run", folder=folder).ok()  # goes on behind iteration 2
    assert results(run) == results(reference) and rows(run) == rows(reference)
    assert "This run is finished" in pvg(*named, "folder=run", folder=folder).ok().out
    words = "exp_id=first has begun with trainer.games=6, and now it is 7"
    pvg.refuses(words, *named, "folder=run", "trainer.games=7", folder=folder)
    pvg(*SMALL, "exp_id=second", "trainer.iterations=1", folder=folder).ok()
    assert (folder / "runs/second/result.json").is_file()
    pvg.refuses("exp_id=../x", *SMALL, "exp_id=../x", folder=folder)


@pytest.mark.parametrize("setup", ["adversarial", "heuristic", "generator_only"])
def test_rewards_see_outcomes_only_by_their_route(setup):
    game = Adversarial.__new__(Adversarial)
    game.routes, game.seen = SETUPS[setup], Counter()
    move = Move("ax-1", ())
    theorem = Theorem((move,), Proof(None, (move,)), "key", 7, False)
    seen = game.outcomes(Experience(2, theorems=[theorem] * 2, failed=torch.tensor([0.25, 0.5]))).failed
    assert seen.tolist() == ([0.25, 0.5] if setup == "adversarial" else [1.0, 1.0])


@pytest.mark.parametrize("setup", sorted(set(SETUPS) - {"adversarial"}))
def test_each_setup_moves_only_who_learns(pvg, folder, setup):
    reward = ["reward=size_by_depth"] if setup == "heuristic" else []
    pvg(*SMALL, "folder=run", f"trainer.setup={setup}", "trainer.warm=0", *reward, folder=folder).ok()
    names = (folder / "run/metrics.csv").read_text().splitlines()[0].split(",")
    receivers = {route.receiver for route in SETUPS[setup]}
    assert ("prover/loss" in names) == ("prover trainer" in receivers)
    assert ("generator/loss" in names) == ("generator trainer" in receivers)


@pytest.mark.parametrize("reward", ["failed", "frontier", "conditional", "size_by_depth"])
def test_other_rewards_teach_something_else(pvg, reference, folder, reward):
    pvg(*SMALL, "folder=run", f"reward={reward}", folder=folder).ok()
    assert rows(folder / "run") != rows(reference)


def test_a_backward_prover_plays_too(pvg, reference, folder):
    pvg(
        *SMALL,
        "folder=run",
        "agents.player._target_=pvg.agents.theorem_players.BackwardProver",
        folder=folder,
    ).ok()
    assert rows(folder / "run") != rows(reference)


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("trainer.setup=war", "trainer.setup=war"),
        ("env.until=nothing", "env.until=nothing"),
        ("env.database=none.mm", "env.database=none.mm"),
        ("trainer.games=0", "trainer.games=0"),
        ("trainer.every=-1", "trainer.every=-1"),
        ("trainer.imitation.database=3", "trainer.imitation.database=3"),
        ("agents.prover.width=0", "width=0"),
        ("agents.player.slots=0", "agents.player.slots=0"),
        ("trainer.war=1", "There is no key trainer.war"),
        ("env.moves=0", "env.moves=0"),
        ("env=problems", "played by experiment=rounds"),
        ("engine=vllm", "engine=sequential, ray and debug_local"),
        ("trainer.world_size=7", "the roles add up to 4"),
        ("trainer.setup=prover_only trainer.world_size=4", "the roles add up to 1 (num_prover_trainers=1)"),
        ("trainer.setup=heuristic", "looks at how the prover fares: add reward=size_by_depth."),
        (
            "engine=ray engine.replicas=2",
            "engine.replicas=2 is for language models: here engine=ray has address and",
        ),
        ("engine=ray engine.max_num_seqs=5", "engine.max_num_seqs=5 is for language models"),
        ("reward=cgc", "trainer.reward=pvg.trainers.rewards.cgc wants score, right, helpful, parsed, and"),
        ("reward=praise", "There are cgc, conditional, correctness, failed, frontier, goodhart, novel,"),
        ("reward=failed trainer.reward.length=1", "There is no key trainer.reward.length"),
        ("trainer.num_prover_actors=8", "one process plays all roles: add engine=ray"),
        ("device=meta", "experiment=adversarial computes on the CPU"),
        ("agents.player._target_=pvg.agents.theorem_players.Generator", "is no prover: choose"),
        ("env._target_=builtins.dict", "leave env and agents out"),
        ("env=regular_graphs", "played by experiment=ppo"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(pvg, folder, argument, words):
    given = ["experiment=adversarial"] if argument.startswith("env=") else SMALL
    pvg.refuses(words, *given, *argument.split(), folder=folder)
