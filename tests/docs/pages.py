"""The README and the pages of docs/, and what stands in them."""

import re

from hydra import compose, initialize_config_dir

from pvg.run import CONFIGS
from tests.cli import ROOT

PAGES = {path.name: path.read_text() for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]}
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


def composed(overrides):
    with initialize_config_dir(CONFIGS, version_base="1.3"):
        return compose("run", overrides=list(overrides))
