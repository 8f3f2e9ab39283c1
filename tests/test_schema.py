"""Constructors are the schema: what they take is found, and what they don't take is refused, for every config file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from pvg import schema
from pvg.envs.payoffs import Payoff
from pvg.errors import UserError
from pvg.exchange_program import ExchangeProgram
from pvg.planning_program import PlanningProgram
from pvg.run import CONFIGS, KEYS, locate_program

FILES = sorted(path for path in Path(CONFIGS).rglob("*.yaml") if "hydra" not in path.parts)


def nodes(node, key=""):
    """Every mapping with a ``_target_``, and where it is."""
    if isinstance(node, dict):
        if "_target_" in node:
            yield key, node
        for name, value in node.items():
            yield from nodes(value, f"{key}.{name}".lstrip("."))
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from nodes(value, f"{key}[{i}]")


WHOSE = {  # groups and files that only one experiment has
    "engine": "rounds",
    "reward": "rounds",
    "problems": "rounds",
    "planner": "planning",
    "gridworld": "planning",
    "theorems": "adversarial",
    "atari": "planning",
    "minigrid": "planning",
    "sequential": "adversarial",
    "debug_local": "adversarial",
    **dict.fromkeys(("novel", "failed", "frontier", "conditional", "size_by_depth"), "adversarial"),
}


def composed():
    """A config for every choice of every group."""
    overrides = []
    for group in sorted(path for path in Path(CONFIGS).iterdir() if path.is_dir() and path.name != "hydra"):
        for choice in sorted(group.glob("*.yaml")):
            whose = WHOSE.get(choice.stem) or WHOSE.get(group.name)
            overrides.append(f"{f'experiment={whose} ' if whose else ''}{group.name}={choice.stem}")
    return overrides


@pytest.fixture(scope="module", params=composed())
def config(request):
    with initialize_config_dir(CONFIGS, version_base="1.3"):
        made = OmegaConf.to_container(compose("run", request.param.split()), resolve=True)
    made.pop("hydra", None)
    return made


def test_every_key_is_an_argument_or_known(config):
    schema.check(config)
    keys = {**KEYS, **locate_program(OmegaConf.create(config)).keys}
    schema.check_values({k: v for k, v in config.items() if k in keys}, keys)
    for key, value in config.items():
        assert key in keys or isinstance(value, dict), key


def test_a_key_that_nothing_reads_is_refused_wherever_it_stands(config):
    for key, node in nodes(config):
        if schema.parameters(schema.locate(node["_target_"], key)) is None:
            assert node["_target_"] == "pvg.tracking.WandB", "hands the rest on to wandb.init"
            continue
        node["nonsense"] = 1
        with pytest.raises(
            UserError, match=rf"{key}.nonsense: {node['_target_']} takes no 'nonsense'; it takes "
        ):
            schema.check(config)
        del node["nonsense"]
    assert len(list(nodes(config))) > 5


def test_a_number_is_refused_where_another_type_belongs(config):
    """Words in place of every number, and numbers in place of every word."""
    for key, node in nodes(config):
        hints = schema.parameters(schema.locate(node["_target_"], key))
        for name, value in node.items():
            if name.startswith("_") or hints is None or isinstance(value, (dict, list)):
                continue
            wrong = 3 if isinstance(value, str) else "many"
            if value is None or (isinstance(wrong, str) and schema.fits("x", hints[name])):
                continue
            node[name] = wrong
            with pytest.raises(UserError, match=rf"{key}.{name}={wrong}: {node['_target_']} takes "):
                schema.check(config)
            node[name] = value


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CONFIGS)))
def test_a_file_has_nothing_beside_targets(path):
    """What is not an argument stands in a file that says where it goes: at the top, or in a mapping of arguments."""
    content = {k: v for k, v in (yaml.safe_load(path.read_text()) or {}).items() if k != "defaults"}
    if path.name != "run.yaml" and "@package _global_" not in path.read_text():
        return
    groups = {folder.name for folder in Path(CONFIGS).iterdir() if folder.is_dir()}
    plain = {k for k, v in content.items() if not (isinstance(v, dict) and "_target_" in v)}
    assert plain <= {*KEYS, *ExchangeProgram.keys, *PlanningProgram.keys, *groups, "hydra"}


# --- types ---


class Base:
    def __init__(self, *, wide: int, deep: float = 1.0, **rest: Any):
        pass


class Closed(Base):
    def __init__(self, size: int, *args: int, **rest: Any):
        super().__init__(wide=size, **rest)


class Leaf(Closed):
    def __init__(self, name: str, **rest: Any):
        super().__init__(1, **rest)


class Root:
    def __init__(self, a: int):
        pass


class Child(Root):
    def __init__(self, b: "str | None" = None, **rest):
        super().__init__(**rest)


def function(x: int, /, y: int, *more: int, z: str = ""):
    pass


def test_arguments_are_those_that_can_be_handed_on():
    assert schema.parameters(Leaf) is None, "the last base takes anything"
    assert schema.parameters(Child) == {"b": str | None, "a": int}
    assert schema.parameters(Payoff) == dict.fromkeys(
        ("accept_true", "accept_false", "reject_true", "reject_false", "undecided"), float
    )
    assert schema.parameters(function) == {"y": int, "z": str}
    assert schema.parameters(lambda **rest: None) is None


MADE = {"_target_": "pvg.envs.payoffs.Payoff"}


@pytest.mark.parametrize(
    "hint, right, wrong",
    [
        (int, [0, -3], [1.0, "1", None, True, [], MADE]),
        (float, [0, 2.5, float("inf")], ["1", None, False, [1.0]]),
        (bool, [True, False], [0, 1, "true", None]),
        (str, ["", "a"], [0, None, True, ["a"]]),
        (int | None, [None, 3], ["3", True]),
        (Any, [None, 3, "a", True, [1], {"a": 1}], []),
        (Sequence[int], [[], [1, 2]], [(), 3, [1, "2"], {"a": 1}, "12"]),
        (tuple[int, ...], [[], [1, 2]], [3, ["2"]]),
        (int | Sequence[int], [3, [3]], ["3", [None]]),
        (Mapping[int, float], [{}, {1: 0.5, 2: 1}], [[0.5], {1: "half"}, 0.5]),
        (Mapping[str, Payoff] | None, [None, {}, {"a": MADE}], [{"a": 3}, "a"]),
        (Payoff, [MADE], [3, "Payoff", None, {}]),
        (Literal["a", "b"], ["a"], ["c", None, 3]),
        (str | Path, ["a"], [3]),
        (Path, ["a"], [3]),
    ],
    ids=str,
)
def test_values_fit_types(hint, right, wrong):
    assert all(schema.fits(value, hint) for value in right)
    assert not [value for value in wrong if schema.fits(value, hint)]
    assert schema.describe(hint) and "typing" not in schema.describe(hint)


def test_what_does_not_exist_is_named():
    for name in ("nowhere.Thing", "pvg.envs.payoffs.Pay", "Payoff", "pvg..run"):
        with pytest.raises(UserError, match=r"a\.b=\S+: can't be found"):
            schema.locate(name, "a.b")
