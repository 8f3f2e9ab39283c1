"""The program as a user meets it: what a run leaves, resumes, stops, sweeps, and says when something is wrong."""

import contextlib
import csv
import os
import re
import signal
import sys
import time
from pathlib import Path

import networkx as nx
import pytest
import torch
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from PIL import Image
from wandb.sdk.launch.sweeps.utils import create_sweep_command_args

from pvg import checkpoint
from pvg.errors import UserError
from pvg.exchange_program import ExchangeProgram
from pvg.program import Program as Base
from pvg.run import KEYS, check_pair, go_on, modes
from tests.cli import ROOT, TINY, choices, files, finish, logged, start

TIMES = {"seconds", "collect_s", "turns_per_s"}
LONGER = ["trainer.turns=10240", "checkpoint_every=4", "evaluation.every=5"]  # 20 iterations
ALIKE = "seed=3", *TINY, *LONGER


@pytest.fixture(scope="module")
def reference(pvg):
    """A run from start to end, with W&B offline."""
    done = pvg(*ALIKE, "tracker=offline", "folder=run").ok()
    return done, done.folder / "run"


def metrics(folder):
    rows = list(csv.DictReader((folder / "metrics.csv").open()))
    return [{k: v for k, v in row.items() if k not in TIMES} for row in rows]


def same_end(one, other):
    """The same numbers on the way, and the same weights and moments of the optimisers at the end."""
    assert metrics(one) == metrics(other)
    states = [checkpoint.load(folder)["trainer"] for folder in (one, other)]
    torch.testing.assert_close(*states, rtol=0, atol=0)
    assert states[0]["iteration"] == len(metrics(one))


# --- what a run leaves ---


def test_a_run_leaves_what_one_needs(reference):
    _, folder = reference
    assert yaml.safe_load((folder / "config.yaml").read_text())["env"]["seed"] == 3, "resolved"
    assert "${" not in (folder / "config.yaml").read_text()
    assert [row["step"] for row in metrics(folder)] == [str(i) for i in range(1, 21)]
    assert {row["step"] for row in metrics(folder) if row["held_out/accuracy"]} == {"5", "10", "15", "20"}
    steps = [int(path.stem.split("-")[1]) for path in sorted((folder / "checkpoints").iterdir())]
    assert steps == [12, 16, 20], "the newest three"
    with Image.open(folder / "curves.png") as picture:
        picture.load()
        assert picture.format == "PNG" and picture.width > 800 and len(picture.convert("L").getcolors()) > 20
    exchanges = (folder / "exchanges.txt").read_text()
    assert exchanges.count("the claim is true") == exchanges.count("the claim is false") == 3
    assert re.search(r"round 1 .*asked: A\d+ .*prover: B\d+", exchanges)
    (offline,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    assert offline.stat().st_size > 10_000


def test_a_run_ends_with_a_table_and_says_where_it_is(reference):
    done, folder = reference
    result = yaml.safe_load((folder / "result.json").read_text())
    for row, value in {
        "accuracy": result["accuracy"],
        "completeness": result["completeness"],
        "soundness": result["soundness"],
        "soundness, attack search": result["soundness/search"],
        "soundness, attack fresh": result["soundness/fresh"],
        "accuracy of the verifier alone": result["alone"],
    }.items():
        assert re.search(rf"^{row} +{100 * value:.1f} %", done.out, re.M), row
    assert "held out, 20 games" in done.out and re.search(r"^accuracy, isomorphic \(10\) ", done.out, re.M)
    assert done.out.splitlines()[-1] == "Everything about this run is in run/"
    assert re.search(r"20/20  [\d,]+ turns/s  accuracy \S+ %  completeness \S+ %  soundness \S+ %", done.err)
    assert "Warning" not in done.err


@pytest.mark.parametrize(
    "env", sorted(set(choices("env")) - {"atari", "gridworld", "minigrid", "problems", "theorems"})
)  # no exchanges
def test_every_env_runs(pvg, env):
    check_sweep(pvg("-m", "experiment=ppo", f"env={env}", *TINY).ok(), 1)


def check_sweep(done, count):
    """So many folders, each with all that a run leaves."""
    runs = list(done.folder.glob("runs/*/*/"))
    assert sorted(int(run.name) for run in runs) == list(range(count))
    for run in runs:
        assert {p.name for p in run.iterdir()} >= {
            "config.yaml",
            "curves.png",
            "exchanges.txt",
            "result.json",
        }
        assert len(metrics(run)) >= 2 and checkpoint.load(run)["step"] == len(metrics(run))


def test_every_protocol_runs(pvg):
    done = pvg(
        "-m", f"protocol={','.join(choices('protocol'))}", *TINY, "rounds=2", "evaluation.baselines=0"
    ).ok()
    check_sweep(done, len(choices("protocol")))


@pytest.mark.parametrize("payoffs", choices("payoffs"))
def test_all_payoffs_run(pvg, payoffs):
    named_for = [f"protocol={payoffs}"] if payoffs in choices("protocol") else []
    check_sweep(pvg("-m", f"payoffs={payoffs}", *named_for, *TINY).ok(), 1)


@pytest.mark.parametrize(
    "change",
    [
        ("env.protocol.first=verifier", "env.questions=learned"),
        ("protocol=solo",),
        (
            "tracker=tensorboard",
            "evaluation.every=0",
            "evaluation.attacks.fresh=null",
            "evaluation.baselines=0",
        ),
        ("env.slots=1", "trainer.turns=100"),
        ("env.test=1",),
    ],
    ids=lambda change: change[0],
)
def test_other_ways_run(pvg, change):
    done = pvg(*TINY, *change).ok()
    (folder,) = done.folder.glob("runs/*")
    assert len(metrics(folder)) >= 2
    assert "Warning" not in done.err


# --- evaluate ---


def test_evaluate_ends_in_one_line_of_json(pvg, reference):
    _, folder = reference
    result = pvg(f"checkpoint={folder}", "mode=evaluate").ok().json
    kept = yaml.safe_load((folder / "result.json").read_text())
    assert result == {k: v for k, v in kept.items() if k in result}
    assert {"accuracy", "completeness", "soundness", "n", "by", "soundness/search"} <= set(result)
    assert result["n"] == 20 and 0 <= result["accuracy"] <= 1
    assert sum(kind["n"] for kind in result["by"].values()) == 20
    right = sum(kind["accuracy"] * kind["n"] for kind in result["by"].values())
    assert right == pytest.approx(20 * result["accuracy"], abs=1e-4)
    assert result["accuracy"] == (result["completeness"] + result["soundness"]) / 2


def test_evaluate_takes_anybodys_pairs(pvg, reference, tmp_path):
    code = lambda graph: nx.to_graph6_bytes(graph, header=False).decode().strip()  # noqa: E731
    cycle, path = nx.cycle_graph(7), nx.path_graph(7)
    moved = nx.relabel_nodes(cycle, {i: (3 * i + 1) % 7 for i in range(7)})
    pairs = [(1, cycle, moved), (1, path, path), (0, cycle, path)]
    lines = [f"{label}\t{code(a)}\t{code(nx.convert_node_labels_to_integers(b))}\n" for label, a, b in pairs]
    (tmp_path / "pairs.tsv").write_text("".join(lines))
    done = pvg(f"checkpoint={reference[1]}", "mode=evaluate", "env.pairs=pairs.tsv", folder=tmp_path).ok()
    assert done.json["n"] == 3 and done.json["by"]["isomorphic"]["n"] == 2
    assert [p.name for p in tmp_path.iterdir()] == ["pairs.tsv"]


# --- the same numbers ---


def test_a_sweep_has_a_folder_for_each_run_and_the_seed_decides(pvg, reference):
    done = pvg("-m", *ALIKE[1:], "seed=3,4").ok()
    check_sweep(done, 2)
    three, four = sorted(done.folder.glob("runs/*/*/"))
    same_end(three, reference[1])
    assert metrics(four) != metrics(three)
    assert [p.name for p in done.folder.iterdir()] == ["runs"]


def test_a_killed_run_resumes_to_the_same_end(pvg, reference, tmp_path):
    run = tmp_path / "run"
    pvg.killed(*ALIKE, folder=run, rows=9)
    spend(run, seconds=9000.0, cpu_seconds=6000.0)
    pvg("resume=run", folder=tmp_path).ok()
    same_end(run, reference[1])
    result = yaml.safe_load((run / "result.json").read_text())
    assert 150 <= result["minutes"] < 155 and 100 <= result["cpu_minutes"] < 105, "with those before the kill"
    again = pvg("resume=run", folder=tmp_path).ok()
    assert "This run is finished" in again.out and "soundness, attack search" in again.out


def spend(run, **spent):
    """As if the run's last checkpoint had taken so long."""
    state = checkpoint.load(run)
    assert all(0 < state[name] < 600 for name in spent)
    checkpoint.save(run / "checkpoints", state | spent, state["step"])


def test_a_run_killed_before_its_first_checkpoint_starts_again(pvg, reference, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text((reference[1] / "config.yaml").read_text().replace("offline", "'off'"))
    (run / "metrics.csv").write_text("step,accuracy\n1,0.5\n2,0.")
    pvg("resume=run", folder=tmp_path).ok()
    same_end(run, reference[1])


def test_ctrl_c_saves_and_says_how_to_go_on(pvg, reference, tmp_path):
    process, run = pvg.begin(*ALIKE, "folder=run", "tracker=offline", folder=tmp_path), tmp_path / "run"
    process.wait_for(lambda: logged(run) > 6)
    done = process.stop(signal.SIGINT)
    assert done.code == 130 and "Traceback" not in done.err + done.out
    said = re.search(r"Stopped after iteration (\d+). Go on with:  python -m pvg.run (\S+)", done.out)
    assert checkpoint.load(run)["step"] == int(said[1]) == len(metrics(run)) < 20
    pvg(said[2], folder=tmp_path).ok()
    same_end(run, reference[1])


def test_ctrl_c_while_it_builds_or_judges(pvg, tmp_path):
    builds = pvg.begin("env.train=200000", "tracker=csv", folder=tmp_path)
    builds.wait_for(lambda: "making the environment" in builds.err.read_text())
    done = builds.stop(signal.SIGINT)
    assert done.code == 130 and "Traceback" not in done.err and not list(tmp_path.iterdir())
    judges = pvg.begin(*TINY, "evaluation.baselines=1e4", "folder=run", folder=tmp_path)
    judges.wait_for(lambda: "training the same verifier" in judges.err.read_text())
    done = judges.stop(signal.SIGINT)
    assert done.code == 130 and "Traceback" not in done.err
    assert "Go on with:  python -m pvg.run resume=run" in done.out


@pytest.mark.slow
def test_torchrun_trains_replicas_in_one_folder_and_resumes(tmp_path):
    launcher = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m")
    process = start(*ALIKE, "evaluation.baselines=0", "folder=run", folder=tmp_path, launcher=launcher)
    while logged(tmp_path / "run") <= 5:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)  # torchrun hands it on
    stopped = finish(process, tmp_path)
    assert re.search(r"Go on with:  torchrun --nproc-per-node=2 -m pvg.run resume=run\n", stopped.out), (
        stopped.err
    )
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
    assert checkpoint.load(tmp_path / "run")["step"] == len(metrics(tmp_path / "run")) < 20
    alone = finish(start("resume=run", folder=tmp_path), tmp_path)
    alone.complains("Resume it with as many: torchrun --nproc-per-node=2 -m pvg.run resume=run")
    done = finish(start("resume=run", folder=tmp_path, launcher=launcher), tmp_path).ok()
    assert done.out.count("Everything about this run is in run/") == 1
    rows = metrics(tmp_path / "run")
    assert len(rows) == 20 and float(rows[-1]["turns"]) == pytest.approx(10240, rel=0.05), "of each replica"
    assert len(checkpoint.load(tmp_path / "run")["replicas"]) == 2


# --- help, and where configs are found ---


def test_help_reads_well_from_anywhere(pvg):
    done = pvg("--help").ok()
    lines = done.out.splitlines()
    assert lines[0].startswith("pvg: ")
    for group in ("env", "protocol", "payoffs", "agents", "trainer", "evaluation", "tracker", "experiment"):
        (listed,) = [line for line in lines if line.startswith(f"{group}: ")]
        assert listed.removeprefix(f"{group}: ").split(", ") == choices(group)
    headings = ["Usage", "Choices (group=choice)", *(line for line in lines if line.startswith("Keys"))]
    assert [line for line in lines if line in headings] == headings
    written = [
        line for line in lines if not re.match(r"\w+: ", line)
    ]  # a group's choices are one line, however many
    assert max(map(len, written)) <= 120 and not done.err
    assert not re.search(r"^(sweep|hydra)", done.out, re.M)


# --- wrong input ---

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
        (("-m", "exp_id=x", "seed=1,2"), "Leave exp_id out"),
    ],
)
def test_what_does_not_go_together_is_said(pvg, table, arguments, words):
    pvg.refuses(words, *arguments, folder=table)


@pytest.mark.parametrize("env", choices("env"))
def test_every_environment_is_played_by_one_experiment(env):
    """And by the one whose program can build it: others are refused."""
    plays = []
    for name in ("adversarial", "planning", "ppo", "rounds"):
        program = yaml.safe_load((ROOT / f"configs/experiment/{name}.yaml").read_text())["program"]
        with contextlib.suppress(UserError):
            check_pair(env, program)
            plays.append(name)
    grids, others = ("atari", "gridworld", "minigrid"), {"theorems": "adversarial", "problems": "rounds"}
    assert plays == ["planning" if env in grids else others.get(env, "ppo")]
    check_pair(env, "mine.Mine")


def test_a_named_run_goes_on_wherever_ray_is(tmp_path):
    """As a job that Slurm requeues: it gets other machines."""
    begun = {
        "exp_id": "x",
        "folder": str(tmp_path / "x"),
        "seed": 1,
        "engine": {"address": "n1:1", "most_restarts": 3},
    }
    (tmp_path / "x").mkdir()
    (tmp_path / "x/config.yaml").write_text(yaml.safe_dump(begun | {"resume": None}))
    now = OmegaConf.create(begun | {"resume": None})
    now.engine.address = "n2:7"
    go_on(now)
    assert now.resume == str(tmp_path / "x")
    now.engine.most_restarts = 4
    with pytest.raises(UserError, match=r"engine\.most_restarts=3, and now it is 4"):
        go_on(now)


@pytest.fixture
def table(tmp_path):
    """A folder with the files that the wrong inputs name."""
    (tmp_path / "bad.tsv").write_text("1\tDQc\tDQc\n0\tDQc\tD\n")
    (tmp_path / "empty.tsv").write_text("\n")
    (tmp_path / "binary.tsv").write_bytes(bytes(range(256)))
    (tmp_path / "hollow").mkdir()
    (tmp_path / "hollow" / "config.yaml").write_text("mode: [")
    return tmp_path


@pytest.mark.parametrize("argument", BAD, ids=lambda a: a[:50])
def test_wrong_input_is_one_paragraph_that_says_what_to_do(pvg, table, argument):
    pvg.refuses(BAD[argument], *TINY, argument, folder=table)


def test_a_first_sweep_job_that_is_wrong_ends_the_sweep(pvg, table):
    done = pvg("-m", *TINY, "env.slots=0,16", folder=table)
    assert done.code == 2 and "env.slots=0: at least one slot" in done.err and "Traceback" not in done.err


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


# --- keys ---


class Mine(ExchangeProgram):
    keys = {"budget": int}
    helper = dict

    def plan(self):
        pass

    def _hidden(self):
        pass


def test_modes_are_public_methods_those_of_base_classes_too():
    assert modes(Base) == modes(ExchangeProgram) == ["train", "evaluate"]
    assert modes(Mine) == ["train", "evaluate", "plan"]


def test_a_program_declares_its_own_keys(pvg, tmp_path):
    """From a module of the user's: its key is taken, of its type, and is nothing to another program."""
    code = "from pvg.exchange_program import ExchangeProgram\n\n\nclass Mine(ExchangeProgram):\n"
    code += "    keys = {**ExchangeProgram.keys, 'budget': int}\n\n"
    code += "    def plan(self):\n        print('budget', self.config.budget)\n"
    (tmp_path / "mine.py").write_text(code)
    mine = "program=mine.Mine", "mode=plan"
    assert pvg(*mine, "+budget=7", folder=tmp_path).ok().out == "budget 7\n"
    pvg.refuses("budget=many: pvg takes a whole number", *mine, "+budget=many", folder=tmp_path)
    pvg.refuses("budget: nothing reads this key", "+budget=7", folder=tmp_path)


def test_every_key_at_the_top_is_read():
    sources = "".join((ROOT / "pvg" / name).read_text() for name in ("run.py", "program.py"))
    configs = "".join(path.read_text() for path in (ROOT / "configs").rglob("*.yaml"))
    for key in {**KEYS, **ExchangeProgram.keys}:
        assert re.search(rf"config\.{key}\b|\"{key}\"\):$", sources, re.M) or f"${{{key}}}" in configs, key


# --- a sweep by W&B ---


def test_the_wandb_sweep_is_a_command_of_ours(pvg):
    """Expanded by W&B's own code, its command line composes, for the first and the last value of all parameters."""
    sweep = yaml.safe_load((ROOT / "sweeps" / "wandb.yaml").read_text())
    assert (
        sweep["command"][2:] == ["-m", "pvg.run", "${args_no_hyphens}"]
        and Path(ROOT, sweep["program"]).is_file()
    )
    for end in (0, -1):
        pick = lambda p: {"value": p.get("value", p.get("values", [p.get("min"), p.get("max")])[end])}  # noqa: E731,B023
        command = create_sweep_command_args({"args": {k: pick(p) for k, p in sweep["parameters"].items()}})
        arguments = command["args_no_hyphens"]
        OverridesParser.create().parse_overrides(arguments)
        composed = yaml.safe_load(pvg(*arguments, "--cfg", "job", "--resolve").ok().out)
        for key, parameter in sweep["parameters"].items():
            node = composed
            for part in key.split(".") if key not in ("experiment", "tracker", "payoffs") else ():
                node = node[part]
            assert node is composed or node == pick(parameter)["value"], key
    assert sweep["metric"]["name"] == "held_out/accuracy"
