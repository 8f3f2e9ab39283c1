"""``experiment=rounds`` as users run it: small, but with every part of the game."""

import json
import os
import re
import signal

import pytest

from pvg import checkpoint
from pvg.envs.problems import part
from pvg.envs.word_sources import problems
from pvg.report.rounds import steps_to_exploit
from tests.cli import logged

# a game so short that nobody learns; what must hold holds all the same
SMALL = (  # noqa: SIM905
    "experiment=rounds trainer.rounds=2 trainer.test=40 trainer.start.steps=30 trainer.start.reading=30 "
    "trainer.checking.steps=5 trainer.checking.problems=30 trainer.checking.k_per_role=2 trainer.provers.iterations=4 "
    "trainer.provers.problems=4 env.count=400 engine.slots=64 tracker=csv checkpoint_every=7"
).split()


@pytest.fixture(scope="module")
def reference(pvg):
    done = pvg(*SMALL, "folder=run").ok()
    return done, done.folder / "run"


def results(run):
    """What a run ends with, without times."""
    found = json.loads((run / "result.json").read_text())
    timeless = {
        "tokens_per_s",
        "wait_p50",
        "wait_p95",
        "tokens",
        "occupancy",
        "syncs",
        "canaries",
        "canary_worst",
    }
    found["engine"] = {k: v for k, v in found["engine"].items() if k not in timeless}
    return {k: v for k, v in found.items() if "minutes" not in k}


def attempts(run, digits=9):
    """All attempts that a run has kept, by file, without times; scores have so many digits."""
    kept = {}
    for file in sorted((run / "attempts").glob("*.jsonl")):
        rows = [json.loads(line) for line in file.read_text().splitlines()[1:]]
        drop = ("waited", "seconds")
        found = [{k: v for k, v in row.items() if k not in drop} for row in rows]
        for row in found:  # sums in another order differ in the last place
            row["log_probs"] = [round(x, 4) for x in row["log_probs"]]
            row["score"] = None if row["score"] is None else round(row["score"], digits)
        kept[file.name] = sorted(found, key=lambda a: (a["task"], a["number"]))
    return kept


def test_it_plays_every_part_and_reports(reference):
    done, run = reference
    found = json.loads((run / "result.json").read_text())
    parts = [(row["what"], row["round"]) for row in found["rounds"]]
    played = [("checked", 0), ("attacked", 0), ("checked", 1), ("attacked", 1), ("checked", 2)]
    assert parts == [("start", 0), ("solver", 0), *played]
    assert found["n"] == 40 and 0 <= found["helpful/accuracy"] <= 1
    begun, solved, attacks = 1, 4 + 1, 4 + 1 + 4
    assert found["engine"]["syncs"] == begun + solved + attacks and not found["engine"]["fallbacks"]
    assert (
        found["engine"]["canaries"] == found["engine"]["syncs"]
        and 0 <= found["engine"]["canary_worst"] < 1e-4
    )
    assert found["best_of_n"] <= found["pass_at_n"]
    solver = next(row["helpful/accuracy"] for row in found["rounds"] if row["what"] == "solver")
    assert found["legibility_tax"] == pytest.approx(solver - found["helpful/accuracy"])
    assert 0 < found["legibility_tax_error"] < 0.2
    text = (run / "report.md").read_text()
    assert "rounds" in done.out and "steps to exploit" in text and "sneaky reward" in text
    assert (run / "rounds.png").read_bytes().startswith(b"\x89PNG")
    names = {f"{name}.jsonl" for name in ("final", "round-0", "round-1", "round-2", "test-0-start")}
    assert names <= {file.name for file in (run / "attempts").iterdir()}


def test_attempts_tell_all_there_is_to_know(reference):
    rows = attempts(reference[1])["round-1.jsonl"]
    told = {
        "task",
        "role",
        "problem",
        "number",
        "seed",
        "tokens",
        "log_probs",
        "version",
        "worker",
        "answer",
        "verdict",
    }
    assert told <= set(rows[0]) and {row["version"] for row in rows} == {10}, (
        "one sync at the start, four of the solver, one back to the start, four of round 0"
    )
    for row in rows:
        wanted = "right" if row["role"] == "helpful" else "wrong"
        assert row["success"] == (row["verdict"] == wanted)
        assert (row["answer"] is None) <= (row["verdict"] == "unparseable")


def test_what_was_gathered_is_counted_by_round_and_role(reference):
    found = json.loads((reference[1] / "result.json").read_text())["gathered"]
    assert [each["round"] for each in found] == [0, 1, 2]
    for each in found:
        rows = attempts(reference[1])[f"round-{each['round']}.jsonl"]
        assert set(each["roles"]) == {"helpful", "sneaky"}
        for role, told in each["roles"].items():
            own = [row for row in rows if row["role"] == role]
            first = [row["success"] for row in own if row["number"] == 0]
            assert (told["tasks"], told["attempts"]) == (len(first), len(own))
            assert (
                len({row["problem"] for row in own}) * 2 == len(first) >= 60 + 2 * 10
            )  # and those that calibrate
            assert told["success_at_1"] == pytest.approx(sum(first) / len(first))
            assert told["give_ups"] == len(first) - sum(row["success"] for row in own)


def test_every_attempt_has_the_score_of_the_verifier_of_its_time(reference):
    result, kept = json.loads((reference[1] / "result.json").read_text()), attempts(reference[1])
    measured = {f"test-{row['round']}-{row['what']}.jsonl": row for row in result["rounds"]}
    for name, found in {**measured, "final.jsonl": result}.items():
        rows = kept.pop(name)
        for role in ("helpful", "sneaky"):
            for verdict in ("right", "wrong"):
                own = [row["score"] > 0 for row in rows if (row["role"], row["verdict"]) == (role, verdict)]
                share = sum(own) / len(own) if own else None
                assert found[f"accepts/{role}/{verdict}"] == pytest.approx(share, abs=1e-6)
    assert set(kept) == {"round-0.jsonl", "round-1.jsonl", "round-2.jsonl"}
    aside = [i for i, problem in enumerate(problems(count=400)) if part(problem.solution) == "calibration"]
    for rows in kept.values():  # 95 % of the honest prover's right solutions of calibration problems pass
        owed = [
            row["score"]
            for row in rows
            if (row["role"], row["verdict"]) == ("helpful", "right") and row["problem"] in aside
        ]
        assert sum(score > 0 for score in owed) / len(owed) == pytest.approx(0.95, abs=1 / len(owed) + 0.01)


def test_the_report_shows_attempts_as_they_were_judged(reference):
    text, rows = (reference[1] / "report.md").read_text(), attempts(reference[1])["final.jsonl"]
    shown = re.findall(r"\*\*(\w+), (\w+), (\w+)\*\* \(score (.*)\)", text)
    assert len(shown) >= 4
    for role, verdict, decision, score in shown:
        same = [row["score"] for row in rows if (row["role"], row["verdict"]) == (role, verdict)]
        near = [x for x in same if abs(x - float(score)) < 0.006]
        assert (decision == "accepted") in {x > 0 for x in near}


@pytest.mark.parametrize("rows", [20, 75, 81])  # it imitates, attacks, and checks in round 1
def test_killed_and_resumed_it_gives_the_same_report(pvg, reference, tmp_path, rows):
    run = tmp_path / "run"
    pvg.killed(*SMALL, folder=run, rows=rows)
    pvg("resume=run", folder=tmp_path).ok()
    assert results(run) == results(reference[1])
    assert attempts(run, 3) == attempts(reference[1], 3)


def test_the_decoupled_game(pvg):
    done = pvg(*SMALL, "trainer.decoupled=true", "folder=run").ok()
    rows = attempts(done.folder / "run")
    assert {row["role"] for row in rows["round-0.jsonl"]} == {"translator", "sneaky"}
    solved = {row["problem"]: row["answer"] for row in rows["solver.jsonl"]}
    assert len(solved) == 400
    # what verifiers learn from is labelled by the truth, whoever said it: problems meet across the roles
    both = [
        {row["problem"] for row in rows["round-0.jsonl"] if row["role"] == r}
        for r in ("translator", "sneaky")
    ]
    assert both[0] == both[1] <= solved.keys()
    found = json.loads((done.folder / "run/result.json").read_text())["gathered"][0]["roles"]
    assert set(found) == {"translator", "sneaky"} and found["translator"]["tasks"] >= 60
    text = (done.folder / "run/report.md").read_text()
    assert "translator reward" in text and "**translator, " in text


def test_evaluate_a_checkpoint(pvg, reference):
    found = pvg(f"checkpoint={reference[1]}", "mode=evaluate").ok().json
    kept = results(reference[1])
    assert found["n"] == 40 and found["auc"] == pytest.approx(kept["auc"], abs=1e-6)


@pytest.mark.parametrize("reward", ["src", "goodhart", "correctness"])
def test_other_rewards_play_too(pvg, reward):
    pvg(*SMALL, f"reward={reward}", "trainer.rounds=1", "trainer.provers.advantage=value").ok()


@pytest.mark.parametrize("decoupled", ["false", "true"])
def test_sampling_alone(pvg, decoupled):
    done = pvg(*SMALL, "mode=sample", f"trainer.decoupled={decoupled}", "folder=run").ok()
    found = done.json
    assert found["roles"]["helpful"]["tasks"] == 60 and found["engine"]["tokens"] > 0
    assert json.loads((done.folder / "run/report.json").read_text())["roles"] == found["roles"]
    text = (done.folder / "run/report.md").read_text()
    assert "| helpful | 60 | " in text and f"| tokens | {found['engine']['tokens']:,} |" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["env.data=jsonl", "env.path=broken.jsonl"], "broken.jsonl:2"),
        (["env.data=jsonl", "env.path=none.jsonl"], "none.jsonl"),
        (["env.data=poems"], "env.data=poems"),
        (["agents.context=12"], "context is 12"),
        (["agents.model=untokenized"], "tokenizer"),
        (["agents.model=nowhere"], "agents.model=nowhere"),
        (["device=cuda:7"], "device=cuda:7"),
        (["engine.slots=0"], "engine.slots=0"),
        (["trainer.rounds=0"], "rounds=0"),
        (["agents.dtype=int8"], "agents.dtype=int8"),
        (["reward=praise"], "reward=praise"),
        (["reward=frontier"], "Rewards of answers are reward=cgc, src, goodhart and correctness."),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(pvg, tmp_path, arguments, words):
    good = {"question": "What is 1 + 1 ?", "answer": "1 + 1 = 2\n#### 2"}
    (tmp_path / "broken.jsonl").write_text(json.dumps(good) + "\n{not json\n")
    (tmp_path / "untokenized").mkdir()
    from transformers import LlamaConfig, LlamaForCausalLM

    if "agents.model=untokenized" in arguments:
        small = LlamaConfig(
            vocab_size=16, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1
        )
        LlamaForCausalLM(small).save_pretrained(tmp_path / "untokenized")
    pvg.refuses(words, *SMALL, *arguments, folder=tmp_path)


def test_another_game_is_refused(pvg):
    words = "env=graph_isomorphism is played by experiment=ppo"
    pvg.refuses(words, "experiment=rounds", "env=graph_isomorphism", "tracker=csv")


def test_no_worker_is_left_behind(pvg, tmp_path):
    process = pvg.begin(*SMALL, "trainer.rounds=50", "folder=run", folder=tmp_path)
    process.wait_for(lambda: logged(tmp_path / "run"))
    done = process.stop(signal.SIGINT)
    assert done.code == 130 and re.search(r"Go on with:  python -m pvg.run resume=run", done.out)
    assert checkpoint.load(tmp_path / "run")["step"] > 0
    assert not [p for p in os.listdir("/proc") if p.isdigit() and _group(p) == process.pid]


def _group(pid):
    try:
        return os.getpgid(int(pid))
    except (ProcessLookupError, PermissionError):
        return None


def test_steps_to_exploit_by_hand():
    fooled = [0.1, 0.6, 0.2, 0.4, 0.6, 0.7, 0.8]
    steps = [{"fooled": x} for x in fooled]
    assert steps_to_exploit(steps) == 6  # .4, .6, .7 are the first three with a mean above .5
    assert steps_to_exploit(steps[:5]) is None and steps_to_exploit([]) is None
    assert steps_to_exploit([{"fooled": None}] * 5) is None
