"""Commands of the pages compose, their code runs, and a run leaves what they say."""

import json
import re
import shlex
from functools import cache
from itertools import chain

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.utils import instantiate
from omegaconf import OmegaConf

from benchmarks import results
from pvg import schema
from pvg.envs import graph_isomorphism, graphs
from pvg.run import run, saved_config
from tests.docs.pages import OURS, PAGES, bare, composed, fences, marked, tables


def commands(text):
    """The arguments of every `python -m pvg.run ...`, in fences, indented or in a line of text."""
    spans = chain("\n".join(fences(text)).splitlines(), re.findall(r"`([^`\n]+)`", text))
    for line in chain(spans, re.findall(r"^    (\S.*)$", text, re.M)):
        if line.startswith(("python ", "torchrun ", "make run ")):
            words = shlex.split(line, comments=True)
            if words[:2] == ["make", "run"]:
                yield [
                    word for given in words if given.startswith("ARGS=") for word in shlex.split(given[5:])
                ]
            elif "pvg.run" in words:
                yield words[words.index("pvg.run") + 1 :]


COMMANDS = sorted(
    {(page, *words) for page in OURS for words in commands(PAGES[page])}
    | {("results.md", *shlex.split(row.overrides)) for rows in results.TABLES.values() for row in rows}
)


@cache
def few_pairs(wanted):
    """Tables of a kind that JSON describes; made once, as many commands differ in other things."""
    whole = lambda d: {int(k) if k.isdigit() else k: v for k, v in d.items()}  # noqa: E731
    return graphs.generate_split(40, 20, **json.loads(wanted, object_hook=whole))


@pytest.mark.parametrize("page, arguments", [(c[0], c[1:]) for c in COMMANDS], ids=lambda x: str(x)[:70])
def test_a_command_composes_and_its_game_can_be_built(page, arguments, tmp_path, monkeypatch):
    monkeypatch.setattr(
        graph_isomorphism,
        "generate_split",
        lambda *_, **wanted: few_pairs(json.dumps(wanted, sort_keys=True)),
    )
    words = [word for word in arguments if word not in ("-m", "--multirun", "--help", "--cfg", "job")]
    if any(word.startswith(("resume=", "checkpoint=")) for word in words):
        saved(tmp_path)
        config = saved_config([word.replace("runs/DIR", str(tmp_path)) for word in words])
        assert config is not None and str(tmp_path) in (config.resume, config.checkpoint)
        return
    if "--config-dir=mine" in words:
        words.remove("--config-dir=mine")
        write_mine(page, tmp_path)
        words.append(f"hydra.searchpath=[file://{tmp_path}]")
    overrides = OverridesParser.create().parse_overrides(words)
    for batch in BasicSweeper.split_arguments(overrides, None):
        for each in batch:
            config = composed(each)
            plain = OmegaConf.to_container(config, resolve=True)
            schema.check(plain)
            if config.program.endswith("RoundsProgram"):
                if config.env.data == "synthetic":
                    assert len(instantiate(config.env, count=20)) == 20
                continue
            if config.program.endswith("AdversarialProgram"):
                if config.env.database is None:
                    assert instantiate(config.env).test
                continue
            if not config.program.endswith("ExchangeProgram"):
                assert instantiate(config.env).reset() is not None
                continue
            env = instantiate(config.env, slots=2, train=40, test=20, device="cpu", _convert_="object")
            assert env.test_size and env.protocol.deciders


def saved(folder):
    plain = OmegaConf.to_container(composed([]), resolve=True)
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(plain))


def write_mine(page, folder):
    """The YAML that the page tells to save under mine/."""
    name = re.search(r"`mine/(\S+\.yaml)`", PAGES[page])[1]
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text(fences(PAGES[page], "yaml")[0])


def test_there_are_commands():
    assert len(COMMANDS) > 15 and {page for page, *_ in COMMANDS} >= {"README.md", "exchange.md"}


def test_a_protocol_from_a_page_plays(tmp_path):
    """The worked example: three seats, and a critic who is paid for rejection."""
    write_mine("exchange.md", tmp_path)
    config = composed(["protocol=critic", f"hydra.searchpath=[file://{tmp_path}]"])
    env = instantiate(config.env, slots=4, train=40, test=20, _convert_="object")
    assert env.protocol.agents == ("prover", "critic", "verifier") and env.lanes == 3
    table = dict(zip(env.protocol.agents, env._payoff[0].T.tolist(), strict=True))
    assert table["critic"][:2] == [1, 0] and table["prover"][:2] == [
        0,
        1,
    ]  # a false claim, rejected and accepted


# --- code ---


@pytest.mark.parametrize("page", [page for page in OURS if fences(PAGES[page], "python")])
def test_the_code_of_a_page_runs(page):
    names = {}
    for code in fences(PAGES[page], "python"):
        exec(compile(code, page, "exec"), names)


def test_the_sizes_that_the_page_tells(monkeypatch):
    from pvg.agents.agent import Agent
    from pvg.agents.graph import GraphNet
    from pvg.envs.protocols import nip
    from pvg.trainers.collect import Rollout

    def size(td):
        return sum(x.numel() * x.element_size() for x in td.values(True, True))

    env = graph_isomorphism.GraphIsomorphism(nip(3), slots=4, train=40, test=20, nodes=(11, 11))
    frame = size(Rollout(env, {n: Agent(env, n, GraphNet) for n in env.protocol.agents}, 4).collect()[:1]) / 4
    text = PAGES["exchange.md"]
    assert f"one slot takes {frame:.0f} bytes, {frame / 2:.0f} a turn" in " ".join(text.split())
    assert f"up to 11 nodes takes {size(env.instances[:1])} bytes" in " ".join(text.split())


TINY = [
    "env.train=60",
    "env.test=20",
    "env.slots=8",
    "trainer.turns=600",
    "tracker=csv",
    "evaluation.baselines=0.3",
]


@pytest.mark.parametrize("protocol", ["nip", "merlin_arthur"])
def test_a_run_leaves_what_the_readme_says(protocol, tmp_path, capsys):
    recipe = next((c[1:] for c in COMMANDS if c[:2] == ("README.md", f"protocol={protocol}")), [])
    run(composed([*TINY, *recipe, "evaluation.attacks.fresh.turns=300", f"folder={tmp_path / 'one'}"]))
    printed = capsys.readouterr().out
    rows = next(rows for rows in tables(PAGES["README.md"]) if bare(rows[0][0]) == "config.yaml")
    for name in re.findall(r"`([^`]+)`", " ".join(row[0] for row in rows)):
        if name not in ("wandb/", "tensorboard/"):
            assert (tmp_path / "one" / name).exists(), f"the README names {name}"
    ((_, shown),) = marked(PAGES["README.md"], "numbers")
    for line in fences(shown)[0].splitlines():
        label = re.split(r"  |\(", line.strip())[0].strip()
        if re.search(r"\d %$", line):
            assert label in printed, f"a run prints no '{label}'"
