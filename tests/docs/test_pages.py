"""Links lead on, the tree is the repository's, and numbers agree with those measured."""

import importlib
import json
import re
from pathlib import Path

import pytest

from benchmarks import results
from tests.cli import ROOT, choices
from tests.docs.pages import PAGES, bare, composed, fences, marked, tables, whole_tables

TO_DO = "not yet measured"


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


@pytest.mark.parametrize("page", PAGES)
def test_names_of_the_package_are_there(page):
    """Modules, and what is in them, that the text names in backticks."""
    named = set(re.findall(r"`(pvg(?:\.\w+)+)`", PAGES[page]))
    for name in named:
        assert locate(name), name


def locate(name):
    """A module, or what is in one; None if there is no such thing."""
    head, _, last = name.rpartition(".")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return getattr(locate(head), last, None) if head else None


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


def test_the_readme_names_every_game_and_protocol():
    column = {bare(row[0]) for rows in tables(PAGES["README.md"]) for row in rows}
    assert set(choices("env")) <= column
    assert set(choices("protocol")) <= column


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
