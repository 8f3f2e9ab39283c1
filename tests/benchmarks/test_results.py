"""The results script: it repeats what has other settings, keeps what has not, and its table is right."""

import json

import pytest

from benchmarks import results
from benchmarks.results import Row


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """Every command that would be run; a run leaves its config and a result."""
    made = []

    def run(command, **_):
        made.append(command[3:])
        folder = next(tmp_path / a.removeprefix("folder=") for a in command if a.startswith("folder="))
        folder.mkdir(parents=True)
        results.OmegaConf.save(composed(command[3:]), folder / "config.yaml", resolve=True)
        (folder / "result.json").write_text(json.dumps({"accuracy": 0.9, "cpu_minutes": 1.0}))
        return type("Done", (), {"returncode": 0})

    def composed(overrides):
        with results.initialize_config_dir(str(results.Path("configs").resolve()), version_base="1.3"):
            return results.compose("run", overrides=overrides)

    monkeypatch.setattr(results.subprocess, "run", run)
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    return made


def test_a_row_is_run_once_with_each_seed_and_again_if_its_settings_change(calls, capsys):
    results.run(Row("one", "it", "protocol=adp"), 3)
    assert "protocol=adp" in calls[0] and "seed=3" in calls[0]
    results.run(Row("one", "it", "protocol=adp"), 3)
    assert len(calls) == 1
    results.run(Row("one", "it", "protocol=adp rounds=2 env.train=999"), 3)
    assert len(calls) == 2 and "run with other settings" in capsys.readouterr().out


def test_cells_are_mean_and_deviation_in_percent(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    for seed, accuracy in enumerate((0.9, 0.98, 1.0)):
        (tmp_path / "one" / str(seed)).mkdir(parents=True)
        result = {"accuracy": accuracy, "soundness": None, "cpu_minutes": 1.0 + seed}
        (tmp_path / "one" / str(seed) / "result.json").write_text(json.dumps(result))
    text = results.table("A table", [Row("one", "first", "seed=1"), Row("two", "never run")])
    assert "| first | 96.0 ± 5.3 | – | 2.0 | 3 |" in text and "never run" not in text
    assert "Not measured" in results.table("Nothing", [Row("two", "never run")])
