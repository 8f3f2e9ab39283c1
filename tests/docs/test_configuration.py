"""docs/configuration.md has every choice, key and argument there is, and no other."""

import inspect
import re
from pathlib import Path

import pytest
import yaml
from hydra.utils import get_object

from pvg.run import CONFIGS
from tests.cli import ROOT, choices
from tests.docs.pages import PAGES, bare, tables

GROUPS = sorted(
    p.name for p in Path(CONFIGS).iterdir() if p.name not in ("hydra", "sweep") and any(p.glob("*.yaml"))
)


def test_the_page_has_every_group_and_its_choices():
    found = next(tables(PAGES["configuration.md"]))
    assert {bare(name): set(map(bare, options.split(", "))) for name, _, options, _ in found} == {
        group: set(choices(group)) for group in GROUPS
    }
    defaults: dict[str, str] = {}
    for file in (
        "env/gridworld.yaml",  # of experiment=planning
        "env/problems.yaml",  # of experiment=rounds
        "run.yaml",
        "env/graph_isomorphism.yaml",
    ):
        listed = yaml.safe_load(Path(CONFIGS, file).read_text())["defaults"]
        defaults |= {k.strip("/"): v for entry in listed if isinstance(entry, dict) for k, v in entry.items()}
    assert {bare(name): bare(default) for name, default, *_ in found}.items() <= defaults.items()


FILES = sorted(
    str(p.relative_to(ROOT)) for group in ("", *GROUPS) for p in Path(CONFIGS, group).glob("*.yaml")
)


def plain(value):
    """A value without what Hydra reads itself."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if not str(k).startswith("_") and k != "defaults"}
    return value


def leaves(value, key=""):
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, f"{key}.{name}".lstrip("."))
    else:
        yield key, value


def settings(file):
    """Full key of everything that a config file sets, as it stands there."""
    text = (ROOT / file).read_text()
    package = re.search(r"^# @package (\S+)", text, re.M)
    group = ".".join(Path(file).parts[1:-1])
    prefix = package[1].replace("_global_", "") if package else group
    content = plain(yaml.safe_load(text) or {})
    for name in reversed(prefix.split(".") if prefix else []):
        content = {name: content} if content else {}
    return content


def described(heading):
    """Key and default of each row below a heading of the page."""
    page = PAGES["configuration.md"]
    section = re.search(rf"^### `{re.escape(heading)}`\n(.*?)(?=^##|\Z)", page, re.M | re.S)
    return (
        {} if section is None else {bare(k): yaml.safe_load(bare(v)) for k, v, _ in next(tables(section[1]))}
    )


@pytest.mark.parametrize("file", FILES)
def test_the_page_has_every_key_and_its_default(file):
    content, rows = settings(file), described(file)
    left = dict(leaves(content)) if content else {}
    for key, value in rows.items():
        node = content
        for name in key.split("."):
            assert isinstance(node, dict) and name in node, (
                f"{file} sets no {key}, docs/configuration.md says so"
            )
            node = node[name]
        assert node == value, f"{file} has {key}: {node}, docs/configuration.md says {value}"
        for leaf in [k for k in left if f"{k}.".startswith(f"{key}.")]:
            del left[leaf]
    assert not left, f"docs/configuration.md, section {file}, lacks {left}"


def test_the_page_has_no_file_that_is_gone():
    assert set(re.findall(r"^### `(configs/.*)`", PAGES["configuration.md"], re.M)) <= set(FILES)


SIGNATURES = sorted(re.findall(r"^### `(pvg\.[\w.]+)`", PAGES["configuration.md"], re.M))


@pytest.mark.parametrize("name", SIGNATURES)
def test_the_page_has_every_argument_and_its_default(name):
    target = get_object(name)
    given = inspect.signature(target.__init__ if isinstance(target, type) else target).parameters.values()
    defaults = {p.name: p.default for p in given if p.default is not p.empty}
    assert described(name) == defaults
