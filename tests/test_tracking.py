"""The CSV file against Python's own reader and an unbroken run; W&B and TensorBoard against what they left on disk."""

import csv
import math
import os
import pty
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from matplotlib import pyplot
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from pvg.checkpoint import random_states
from pvg.errors import UserError
from pvg.tracking import TensorBoard, Tracker, WandB, read_metrics

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def no_account(monkeypatch, tmp_path):
    """Tests neither see nor use anybody's W&B account."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "no-config"))
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")


def rows(folder):
    with open(folder / "metrics.csv", newline="") as file:
        return list(csv.DictReader(file))


# --- CSV ---


def test_columns_may_come_later(tmp_path):
    tracker = Tracker(tmp_path)
    tracker.log({"loss": 0.1}, 0)
    tracker.log({"loss": 0.2, "accuracy, greedy": 1.0}, 1)
    tracker.log({"accuracy, greedy": 0.5}, 2)
    assert rows(tmp_path) == [
        {"step": "0", "loss": "0.1", "accuracy, greedy": ""},
        {"step": "1", "loss": "0.2", "accuracy, greedy": "1.0"},
        {"step": "2", "loss": "", "accuracy, greedy": "0.5"},
    ]
    columns = read_metrics(tmp_path)
    np.testing.assert_array_equal(columns["loss"], [0.1, 0.2, math.nan])


def test_calls_with_one_step_share_a_row(tmp_path):
    tracker = Tracker(tmp_path)
    tracker.log({"loss": 123456.789}, 0)
    tracker.log({"loss": 2, "accuracy": 0.25}, 1)
    tracker.log({"soundness": 0.5}, 1)
    tracker.log({"loss": 3}, 1)
    tracker.log({"loss": 4}, 2)
    assert [list(row.values()) for row in rows(tmp_path)] == [
        ["0", "123456.789", "", ""],
        ["1", "3", "0.25", "0.5"],
        ["2", "4", "", ""],
    ]


def test_numbers_come_back_exactly(tmp_path):
    values = [
        1 / 3,
        1e-300,
        -0.0,
        2**53 + 1,
        math.inf,
        np.float32(0.1),
        torch.tensor(0.1),
        torch.tensor([7]),
        True,
    ]
    with Tracker(tmp_path) as tracker:
        tracker.log({str(i): value for i, value in enumerate(values)}, 0)
    (row,) = rows(tmp_path)
    for i, value in enumerate(values):
        text = row[str(i)]
        assert (int if text.lstrip("-").isdigit() else float)(text) == value


@pytest.mark.parametrize("value", [torch.ones(2), np.ones(3), "0.5", None, [1.0]])
def test_what_is_not_one_number_is_refused(tmp_path, value):
    tracker = Tracker(tmp_path)
    with pytest.raises(TypeError, match="loss"):
        tracker.log({"loss": value}, 0)
    assert rows(tmp_path) == []


def log_randomly(tracker, steps):
    for step in steps:
        chance = random.Random(step)
        for _ in range(chance.choice([1, 1, 2])):
            names = chance.sample("abcdefghij", chance.randint(1, 3 + step // 4))
            tracker.log(
                {name: chance.choice([chance.random(), chance.randint(0, 1000)]) for name in names}, step
            )


@pytest.mark.parametrize("saved", [0, 3, 7, 19])
@pytest.mark.parametrize("killed", [19, 25])
def test_a_resumed_file_equals_an_unbroken_one(tmp_path, saved, killed):
    log_randomly(Tracker(tmp_path / "unbroken"), range(30))
    log_randomly(Tracker(tmp_path / "broken"), range(killed + 1))
    with open(tmp_path / "broken" / "metrics.csv", "a") as file:
        file.write("26,0.12,3")  # a row cut short by the kill
    log_randomly(Tracker(tmp_path / "broken", resume_step=saved), range(saved + 1, 30))
    unbroken, broken = ((tmp_path / name / "metrics.csv").read_bytes() for name in ("unbroken", "broken"))
    assert broken == unbroken
    assert len(unbroken.splitlines()) == 31


def test_a_row_cut_short_by_a_kill_is_not_read(tmp_path):
    tracker = Tracker(tmp_path)
    for step in range(3):
        tracker.log({"loss": 0.125, "accuracy": 1 / 3}, step)
    path = tmp_path / "metrics.csv"
    for length in range(1, len("2,0.125,0.3333333333333333\n")):
        with open(path, "r+b") as file:
            file.truncate(path.stat().st_size - 1)
        np.testing.assert_array_equal(read_metrics(tmp_path)["accuracy"], [1 / 3, 1 / 3], str(length))


def test_without_resuming_an_old_file_is_replaced(tmp_path):
    Tracker(tmp_path).log({"old": 1}, 5)
    Tracker(tmp_path).log({"new": 1}, 0)
    assert rows(tmp_path) == [{"step": "0", "new": "1"}]


def test_without_a_folder_nothing_is_logged(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Tracker(None, [WandB(mode="offline")]) as tracker:
        tracker.log({"loss": 1}, 0)
        tracker.text("sample", "hello", 0)
        tracker.image("curve", "curve.png", 0)
    assert list(tmp_path.iterdir()) == []


def test_texts_are_files(tmp_path):
    Tracker(tmp_path).text("exchanges/held-out", "prover: é\n", 12)
    assert (tmp_path / "texts" / "exchanges" / "held-out-12.txt").read_text("utf-8") == "prover: é\n"


def test_no_metrics_is_the_users_to_mend(tmp_path):
    with pytest.raises(UserError, match=r"holds no metrics\.csv"):
        read_metrics(tmp_path)


class Broken:
    """A logger that dies at its second step."""

    def __init__(self):
        self.heard = []

    def open(self, folder, config, resume_step):
        self.opened = folder, config, resume_step

    def log(self, metrics, step):
        self.heard.append(step)
        if step:
            raise ConnectionError("the server went away")


def test_a_failing_logger_is_dropped_and_the_run_goes_on(tmp_path, caplog):
    broken = Broken()
    with Tracker(tmp_path, {"mine": broken, "none": None}, config={"seed": 3}, resume_step=0) as tracker:
        for step in range(4):
            tracker.log({"loss": step}, step)
    assert broken.opened == (tmp_path, {"seed": 3}, 0)
    assert broken.heard == [0, 1]
    assert len(rows(tmp_path)) == 4
    assert len(caplog.records) == 1 and "the server went away" in caplog.text


# --- W&B ---


def wandb_file(folder):
    (path,) = (folder / "wandb").glob("offline-run-*/*.wandb")
    return path


def test_wandb_offline_is_silent_complete_and_keeps_its_id(tmp_path, capfd):
    picture = tmp_path / "curve.png"
    pyplot.imsave(picture, np.zeros((4, 4)))
    before = random_states()
    with Tracker(
        tmp_path / "run", [WandB(mode="offline", group="g")], config={"env": {"nodes": 11}}
    ) as tracker:
        assert tracker.loggers, "W&B could not start"
        for step in range(3):
            tracker.log({"verifier/loss": step / 2}, step)
        tracker.image("curve", picture, 2)
        tracker.text("exchange", "prover: <3>", 2)
    assert capfd.readouterr() == ("", "")
    assert "WANDB_MODE" not in os.environ

    path = wandb_file(tmp_path / "run")
    assert b"verifier/loss" in path.read_bytes() and b"nodes" in path.read_bytes()
    assert len(list(path.parent.glob("files/media/*/*"))) == 2
    run_id = (tmp_path / "run" / "wandb" / "run-id").read_text().strip()
    assert path.name == f"run-{run_id}.wandb"

    path.unlink()
    with Tracker(tmp_path / "run", [WandB(mode="offline")], resume_step=1) as tracker:
        tracker.log({"verifier/loss": 1.0}, 2)
    assert wandb_file(tmp_path / "run").name == f"run-{run_id}.wandb"

    # A logger must not change what a seed decides.
    after = random_states()
    assert before["python"] == after["python"]
    assert torch.equal(before["torch_cpu"], after["torch_cpu"])
    assert torch.equal(before["numpy"][1], after["numpy"][1]) and before["numpy"][2:] == after["numpy"][2:]


def test_wandb_can_be_off(tmp_path, monkeypatch):
    with Tracker(tmp_path / "a", [WandB(mode="off")]) as tracker:
        tracker.log({"loss": 1}, 0)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    with Tracker(tmp_path / "b", [WandB(mode="online")]) as tracker:
        tracker.log({"loss": 1}, 0)
    assert not list(tmp_path.glob("*/wandb"))
    with pytest.raises(UserError, match="onlin"):
        WandB(mode="onlin")


@pytest.mark.slow
@pytest.mark.parametrize("key", [None, "0123456789" * 4])
def test_wandb_online_without_key_or_network_goes_offline_and_says_so_once(tmp_path, key):
    program = """
import sys
from pvg.tracking import Tracker, WandB
for name in "ab":
    with Tracker(sys.argv[1] + "/" + name, [WandB(mode="online")]) as tracker:
        tracker.log({"loss": 1}, 0)
"""
    environment = dict(os.environ, WANDB_BASE_URL="http://127.0.0.1:9", HOME=str(tmp_path))
    environment |= {"WANDB_API_KEY": key} if key else {}
    ours, theirs = pty.openpty()  # a terminal to ask at: were it to ask, it would wait for ever
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        env=environment,
        stdin=theirs,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    os.close(ours)
    os.close(theirs)
    said = (done.stdout + done.stderr).strip().splitlines()
    assert len(said) == 1 and "offline" in said[0] and ("does not answer" if key else "no key") in said[0], (
        said
    )
    assert wandb_file(tmp_path / "a") and wandb_file(tmp_path / "b")


# --- TensorBoard ---


def scalars(folder, name):
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars(name)]


def test_tensorboard_holds_what_was_logged_and_forgets_what_a_resume_repeats(tmp_path):
    picture = tmp_path / "curve.png"
    pyplot.imsave(picture, np.zeros((4, 6)))
    with Tracker(tmp_path, [TensorBoard()]) as tracker:
        for step in range(4):
            tracker.log({"loss": step / 4}, step)
        tracker.image("curve", picture, 3)
        tracker.text("exchange", "hello", 3)
    assert scalars(tmp_path, "loss") == [(step, step / 4) for step in range(4)]
    with Tracker(tmp_path, [TensorBoard()], resume_step=1) as tracker:
        tracker.log({"loss": 8}, 2)
    assert scalars(tmp_path, "loss") == [(0, 0), (1, 0.25), (2, 8)]


# --- configs ---


@pytest.mark.parametrize(
    ("choice", "loggers", "modes"),
    [
        ("csv", [], []),
        ("offline", [WandB], ["offline"]),
        ("wandb", [WandB], ["online"]),
        ("tensorboard", [TensorBoard], []),
        ("[offline,tensorboard]", [WandB, TensorBoard], ["offline"]),
    ],
)
def test_each_tracker_config_builds(tmp_path, monkeypatch, choice, loggers, modes):
    monkeypatch.setattr(Tracker, "_tell", lambda *_: None)  # builds, and opens nothing
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        config = compose(overrides=[f"+tracker={choice}"])
    tracker = instantiate(config.tracker)(tmp_path, config={"env": {"_target_": "not.to.be.built"}})
    assert [type(logger) for logger in tracker.loggers] == loggers
    assert [logger.mode for logger in tracker.loggers if isinstance(logger, WandB)] == modes
