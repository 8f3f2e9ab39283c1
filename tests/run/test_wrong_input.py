"""What is wrong is said in one paragraph, and nothing is left behind."""

import os

import pytest
import torch

from tests.cli import ROOT, TINY, files, finish, start

BAD = {
    "foo=1": "no key foo",
    "env.slot=3": "no key env.slot. env has slots",
    "seed": "seed",
    "env=chess": "env=chess: there is no such choice. There are atari, graph_isomorphism",
    "protocol=chess": "protocol=chess: there is no such choice. There are adp, debate",
    "env.slots=0": "env.slots=0",
    "env.slots=abc": "env.slots=abc: pvg.envs.graph_isomorphism.GraphIsomorphism takes a whole number",
    "env.slots=1.5": "whole number",
    "env.slots=true": "whole number",
    "rounds=0": "rounds=0: a game needs at least one round",
    "rounds=9": "smallest graph has 7 nodes",
    "first_decision=7": "first_decision=7",
    "trainer.turns=-5": "turns=-5",
    "trainer.turns=many": "trainer.turns=many: pvg.trainers.ppo.PPO takes a number",
    "trainer.steps=0": "steps=0",
    "trainer.learning.verifier.minibatch=0": "minibatch=0",
    "+trainer.learning.prover.learning_rate=-1": "learning_rate=-1",
    "+trainer.learning.judge={_target_: pvg.trainers.ppo.Learning}": "no agent is called ['judge']",
    "+trainer.learning.prover.epoch=3": "trainer.learning.prover.epoch",
    "+agents.verifier.net.depth=3": "agents.verifier.net.depth: pvg.agents.graph.GraphNet takes no 'depth'",
    "agents.verifier.net.width=wide": "agents.verifier.net.width=wide",
    "agents.verifier.net.width=-2": "agents.verifier can't be built for GraphIsomorphism",
    "agents.verifier.net._target_=pvg.agents.Net": "agents.verifier.net._target_=pvg.agents.Net: can't be found",
    "agents.verifier.weights=runs/none": "agents.verifier: There is no checkpoint runs/none",
    "agents=tokens": "agents.prover can't be built for GraphIsomorphism",
    "~agents.prover": "an agent 'prover'",
    "+env.payoffs.judge={_target_: pvg.envs.payoffs.Payoff}": "no agent is called ['judge']",
    "env.protocol=nip": "env.protocol=nip: pvg.envs.graph_isomorphism.GraphIsomorphism takes a Protocol",
    "env.train=0": "no instance to train on",
    "env.test=0": "nothing to evaluate on",
    "env.pairs=bad.tsv": "bad.tsv, line 2: ",
    "env.pairs=empty.tsv": "empty.tsv has no pairs",
    "env.pairs=binary.tsv": "binary.tsv",
    "env.pairs=none.tsv": "none.tsv can't be read",
    "mode=dance": "mode=dance: this experiment can train or evaluate",
    "mode=evaluate": "mode=evaluate needs checkpoint=",
    "mode=judge": "mode=judge",
    "checkpoint=none": "checkpoint=none: there is no ",
    "resume=none": "resume=none: there is no ",
    "resume=hollow": "hollow",
    "checkpoint_every=0": "checkpoint_every=0",
    "evaluation.quick=0": "evaluation.quick=0",
    "evaluation.every=often": "evaluation.every=often: pvg.judge.Judge takes a whole number",
    "device=cuda:17": "device=cuda:17: torch sees ",
    "device=toaster": "device=toaster: write cpu, cuda",
    "seed=abc": "seed=abc",
    "threads=0": "threads=0",
    "tracker=paper": "tracker=paper: there is no such choice",
    "+anything=3": "anything: nothing reads this key",
    "program=pvg.nothing": "program=pvg.nothing",
    "program=pvg.judge.Judge": "program=pvg.judge.Judge: name a class derived from pvg.program.Program",
    "folder=bad.tsv": "bad.tsv",
    "--config-dir=none": "none",
    "seed=1,2": "--multirun",
}


@pytest.fixture
def table(tmp_path):
    """A folder with the files that the wrong inputs name."""
    (tmp_path / "bad.tsv").write_text("1\tDQc\tDQc\n0\tDQc\tD\n")
    (tmp_path / "empty.tsv").write_text("\n")
    (tmp_path / "binary.tsv").write_bytes(bytes(range(256)))
    (tmp_path / "hollow").mkdir()
    (tmp_path / "hollow" / "config.yaml").write_text("mode: [")
    return tmp_path


@pytest.mark.parametrize(
    "arguments, words",
    [
        (
            ("env=gridworld",),
            "env=gridworld is played by experiment=planning, and this is experiment=ppo: write",
        ),
        (("env=theorems",), "env=theorems is played by experiment=adversarial"),
        (("env=problems",), "env=problems is played by experiment=rounds"),
        (("experiment=adversarial", "env=gridworld"), "env=gridworld is played by experiment=planning"),
        (("experiment=rounds", "env=word_problems"), "env=word_problems is played by experiment=ppo"),
        (
            ("experiment=planning", "trainer=adversarial"),
            "trainer: pvg.trainers.adversarial.Adversarial can't learn",
        ),
        (("exp_id=x", "mode=evaluate"), "checkpoint=runs/x"),
        (("experiment=planning", "exp_id=x", "mode=plan", "folder=y"), "checkpoint=y"),
    ],
)
def test_what_does_not_go_together_is_said(pvg, table, arguments, words):
    pvg.refuses(words, *arguments, folder=table)


@pytest.mark.parametrize("argument", BAD, ids=lambda a: a[:50])
def test_wrong_input_is_one_paragraph_that_says_what_to_do(pvg, table, argument):
    pvg.refuses(BAD[argument], *TINY, argument, folder=table)


def test_a_first_sweep_job_that_is_wrong_ends_the_sweep(pvg, table):
    done = pvg("-m", *TINY, "env.slots=0,16", folder=table)
    assert done.code == 2 and "env.slots=0: at least one slot" in done.err and "Traceback" not in done.err


def test_a_sweep_takes_no_name(pvg, tmp_path):
    pvg("-m", "exp_id=x", "seed=1,2", folder=tmp_path).complains("Leave exp_id out")
    assert [path.name for path in tmp_path.glob("runs/*/*")] == ["multirun.yaml"], "which Hydra writes first"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_gpu(pvg, table):
    pvg.refuses("device=cuda: torch sees no GPU here. Set device=cpu", "device=cuda", folder=table)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("agents.verifier.net.width=48",), "has shape"),
        (("agents.verifier.net.depth=48",), "not something to override on a saved run"),
        (("rounds=2",), "not something to override on a saved run"),
        (("payoffs=cooperative",), "not something to override"),
        (("mode=train",), "to go on with that run write resume="),
        (("env.pairs=bad.tsv",), "bad.tsv, line 2"),
        (("env.slots=abc",), "takes a whole number"),
        (("-m",), "not something to override"),
    ],
)
def test_a_saved_run_takes_only_what_makes_sense(pvg, reference, table, arguments, words):
    pvg.refuses(words, f"checkpoint={reference[1]}", *arguments, folder=table)


def test_a_resumed_run_keeps_its_settings(pvg, reference, table):
    words = "keeps its settings: leave out trainer.turns=1e6"
    pvg.refuses(words, f"resume={reference[1]}", "trainer.turns=1e6", folder=table)


def test_a_folder_is_not_written_over(pvg, reference):
    before = files(reference[1])
    pvg.refuses(f"go on with resume={reference[1]}", *TINY, f"folder={reference[1]}")
    assert files(reference[1]) == before


def test_damaged_checkpoints(pvg, reference, table):
    run = table / "run"
    (run / "checkpoints").mkdir(parents=True)
    (run / "config.yaml").write_text((reference[1] / "config.yaml").read_text())
    pvg.refuses("run holds no checkpoint", "checkpoint=run", folder=table)
    (run / "checkpoints" / "checkpoint-000000003.pt").write_bytes(b"PK nonsense")
    pvg.refuses("can't be read", "checkpoint=run", folder=table)


def test_numbers_of_64_bits(pvg, table):
    pvg.refuses("bits", *TINY, "env=primality", "env.bits=64", folder=table)


def test_without_primesieve(tmp_path):
    shadow, folder = tmp_path / "shadow", tmp_path / "work"
    shadow.mkdir(), folder.mkdir()
    (shadow / "primesieve.py").write_text("raise ImportError('libprimesieve.so: cannot open shared object')")
    process = start(*TINY, "env=primality", folder=folder, PYTHONPATH=f"{ROOT}{os.pathsep}{shadow}")
    finish(process, folder).complains("apt-get install g++ libprimesieve-dev")
    assert not list(folder.iterdir())


def test_tracebacks_for_those_who_ask(tmp_path):
    done = finish(start(*TINY, "env.slots=0", folder=tmp_path, HYDRA_FULL_ERROR="1"), tmp_path)
    assert done.code == 1 and "Traceback" in done.err and "exchange.py" in done.err
