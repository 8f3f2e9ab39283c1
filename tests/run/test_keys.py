"""Which program plays what, and the keys it takes: its own, the user's, those of a sweep by W&B."""

import contextlib
import re
from pathlib import Path

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser
from wandb.sdk.launch.sweeps.utils import create_sweep_command_args

from pvg.errors import UserError
from pvg.exchange_program import ExchangeProgram
from pvg.program import Program as Base
from pvg.run import KEYS, check_pair, modes
from tests.cli import ROOT, choices


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
