"""The program as a user meets it: what a run leaves and says, in all the ways it can be run, and evaluate."""

import re

import networkx as nx
import pytest
import yaml
from PIL import Image

from tests.cli import TINY, choices
from tests.run.runs import check_sweep, metrics


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
