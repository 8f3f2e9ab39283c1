"""What the README and the pages of docs/ say is so: commands compose, code runs, links lead on, numbers agree."""

import inspect
import json
import re
import shlex
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.utils import get_object, instantiate
from omegaconf import OmegaConf

from benchmarks import results
from pvg import schema
from pvg.envs import graph_isomorphism, graphs
from pvg.run import CONFIGS, run, saved_config
from tests import cli

ROOT = Path(__file__).parent.parent
README, RESULTS = ROOT / "README.md", ROOT / "docs/results.md"
PAGES = {path.name: path.read_text() for path in [README, *sorted((ROOT / "docs").glob("*.md"))]}
OURS = (
    "README.md",
    "adversarial.md",
    "atari.md",
    "configuration.md",
    "exchange.md",
    "formal.md",
    "planning.md",
    "results.md",
    "rounds.md",
)  # new-scenario.md has a test of its own
TO_DO = "not yet measured"


def fences(text, language=r"\w*"):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def marked(text, name):
    """What stands between <!-- name ... --> and <!-- end of name -->, with the words after the name."""
    return re.findall(rf"<!-- {name}\b ?(.*?) ?-->(.*?)<!-- end of {name} -->", text, re.S)


def tables(text):
    """The rows of every Markdown table as lists of cells, without its head."""
    for _, *rows in whole_tables(text):
        yield rows


def whole_tables(text):
    """The same with the head."""
    for block in re.findall(r"(?:^\|.*\n)+", text, re.M):
        head, _, *rows = block.splitlines()
        yield [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in (head, *rows)]


def bare(cell):
    return cell.strip("`")


# --- commands ---


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


def composed(overrides):
    with initialize_config_dir(CONFIGS, version_base="1.3"):
        return compose("run", overrides=list(overrides))


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


# --- links and the tree ---


def slug(heading):
    """GitHub's anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    folder, broken = (ROOT if page == "README.md" else ROOT / "docs"), []
    text = re.sub(r"^```.*?^```", "", PAGES[page], flags=re.M | re.S)
    for path, _, anchor in re.findall(r"\]\(((?!\w+:)[^)#\s]*)(#([^)\s]*))?\)", text):
        target = (folder / path).resolve() if path else folder / page
        if not target.exists():
            broken.append(path)
        elif anchor and anchor not in map(slug, re.findall(r"^#+ (.*)$", target.read_text(), re.M)):
            broken.append(f"{path}#{anchor}")
    assert not broken


def test_the_tree_of_the_readme_is_the_repository_s():
    tree = fences(PAGES["README.md"].split("## Where things are")[1])[0]
    named, above = set(), {}
    for line in tree.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        name = line.split()[0]
        # deeper lines belong to the last folder above them
        parent = next((above[d] for d in range(depth - 1, -1, -1) if d in above), Path())
        path = parent / name
        assert (ROOT / path).exists(), f"the README's tree has {path}"
        above = {d: p for d, p in above.items() if d < depth}
        if name.endswith("/"):
            above[depth] = path
        named.add(path)
    folders = {p.parent.relative_to(ROOT) for p in ROOT.glob("pvg/*/*.py")}
    assert folders <= named, "the README's tree lacks a folder"


# --- what there is to choose ---


def choices(group):
    return set(cli.choices(group))


def test_the_readme_names_every_game_and_protocol():
    column = {bare(row[0]) for rows in tables(PAGES["README.md"]) for row in rows}
    assert choices("env") <= column
    assert choices("protocol") <= column


GROUPS = sorted(
    p.name for p in Path(CONFIGS).iterdir() if p.name not in ("hydra", "sweep") and any(p.glob("*.yaml"))
)


def test_the_page_has_every_group_and_its_choices():
    found = next(tables(PAGES["configuration.md"]))
    assert {bare(name): set(map(bare, options.split(", "))) for name, _, options, _ in found} == {
        group: choices(group) for group in GROUPS
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


# --- numbers ---


@pytest.mark.parametrize("page", ["README.md", "results.md"])
def test_nothing_is_left_to_measure(page):
    assert TO_DO not in PAGES[page], f"{page} still says '{TO_DO}'"


def test_the_readme_s_table_is_that_of_the_results():
    ((_, shown),) = marked(PAGES["README.md"], "numbers")
    ((_, whole),) = marked(PAGES["results.md"], "headline")
    lines = {line.strip() for line in whole.splitlines()}
    for line in fences(shown)[0].splitlines():
        assert line.strip() in lines or not re.search(r"\w", line), f"docs/results.md has no line '{line}'"


def test_what_the_readme_says_is_reached_stands_in_the_results():
    ((_, shown),) = marked(PAGES["README.md"], "results")
    measured = []
    for header, *rows in whole_tables(PAGES["results.md"]):
        measured += [dict(zip(header[1:], row[1:], strict=True)) for row in rows]
    ((header, *rows),) = whole_tables(shown)
    assert len(rows) == len(results.HEADLINES)
    for row in rows:
        said = dict(zip(header[1:], row[1:], strict=True))
        assert any(said.items() <= found.items() for found in measured), (
            f"docs/results.md has no row with {said}"
        )


def test_figures_in_the_readme_are_measured():
    """Percentages outside its table, and speed ratios, stand in docs/results.md."""
    ((_, speed),) = marked(PAGES["results.md"], "speed")
    figures = next((json.loads(x) for x in re.findall(r'^\{"B\d.*\}$', speed, re.M)), {})
    for name, text in marked(PAGES["README.md"], "bench"):
        found = figures.get(name, [])
        for number in re.findall(r"\d+(?:\.\d+)?", text):
            places = len(number.partition(".")[2])
            near = [round(x, places) for x in (found if isinstance(found, list) else [found])]
            assert float(number) in near, f"{name} is {found} in docs/results.md, and {number} in the README"
    prose = re.sub(r"<!-- numbers -->.*?<!-- end of numbers -->", "", PAGES["README.md"], flags=re.S)
    for percent in re.findall(r"(\d+(?:\.\d+)?) ?%", prose):
        assert percent in PAGES["results.md"], f"docs/results.md has no {percent} %"


def test_the_budgets_of_the_results_are_the_default_ones():
    config, text = composed([]), " ".join(PAGES["results.md"].split())
    for budget, where in (
        (config.evaluation.attacks.fresh.turns, "trained from scratch for {} turns"),
        (config.evaluation.most, "on the same {} false claims"),
        (config.env.test, "{} pairs of graphs"),
    ):
        assert where.format(f"{float(budget):,.0f}") in text


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
