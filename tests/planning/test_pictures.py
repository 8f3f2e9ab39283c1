"""Pictures of trees: what stands where, and that all of it is in the files."""

import itertools
import random
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from pvg.envs.gridworld import Gridworld
from pvg.errors import UserError
from pvg.planning.breadth import IW
from pvg.planning.pictures import Pictures, write_gif
from pvg.planning.rollout import RolloutIW
from pvg.planning.simulator import EnvSimulator
from pvg.planning.sketch import sketch, tidy

SVG = "{http://www.w3.org/2000/svg}"


def grown(kind=RolloutIW, budget=60, **how):
    """A planner that has decided, and the action."""
    planner = kind(EnvSimulator(Gridworld("maze0", games=2), check=False), trees=2, budget=budget, **how)
    planner.forest.count_visits()
    planner.begin(planner.simulator.initial(2))
    return planner, int(planner.choose(planner.plan())[1])


@pytest.mark.parametrize("seed", range(20))
def test_nodes_keep_clear_of_each_other(seed):
    chance = random.Random(seed)
    count = chance.randrange(2, 120)
    parents = [-1] + [chance.randrange(max(0, k - 6), k) for k in range(1, count)]
    children = [[c for c in range(count) if parents[c] == k] for k in range(count)]
    widths = [chance.choice([0.5, 1.0, 2.0]) for _ in range(count)]
    places = tidy([(width, 1.0) for width in widths], children)
    for k in range(count):
        if children[k]:
            ends = places[children[k][0], 0], places[children[k][-1], 0]
            assert places[k, 0] == pytest.approx(float(sum(ends)) / 2, abs=1e-4)
            assert (places[children[k], 1] == places[k, 1] + 1).all()
    for level in places[:, 1].unique():
        here = (places[:, 1] == level).nonzero().flatten().tolist()
        here.sort(key=lambda k: float(places[k, 0]))
        for one, other in itertools.pairwise(here):
            assert places[other, 0] - places[one, 0] >= (widths[one] + widths[other]) / 2 - 1e-4


def test_what_a_sketch_tells():
    planner, action = grown(IW, budget=700, width=2)
    drawn, forest = sketch(planner, action, 1), planner.forest
    assert len(drawn.nodes) == forest.count[1] and not drawn.counted
    # a key and a door away, the end of the best path pays one, discounted by the steps to it
    end = drawn.nodes[drawn.chosen[-1]]
    assert end.status == "over" and end.reward == 1 and end.depth == 21 == len(drawn.chosen) - 1
    assert drawn.nodes[drawn.chosen[1]].best == pytest.approx(0.99**20)
    assert drawn.nodes[0].visits == len(drawn.nodes)
    for node in drawn.nodes[1:]:
        if node.status == "pruned":
            assert not node.children and not node.reward
        if node.children:
            best = max(drawn.nodes[c].best for c in node.children)
            assert node.best == pytest.approx(node.reward + 0.99 * best)


@pytest.mark.parametrize(("thumbnails", "shown"), [("none", 0), ("path", 3), ("all", None)])
def test_every_node_is_in_the_files(tmp_path, thumbnails, shown):
    planner, _ = grown()
    forest = planner.forest
    planner.simulator.moves = ("<stay>", "up", "right", "down", "left")  # must be escaped
    first = int((forest.child.view(2, -1)[1, :5] >= 0).nonzero()[0])
    drawn = sketch(planner, first, 1)
    paths = Pictures(thumbnails=thumbnails).write(planner, tmp_path, action=first, tree=1)
    assert [path.name for path in paths] == ["tree.svg", "tree.png", "tree.dot"]
    root = ElementTree.parse(paths[0]).getroot()
    titles = [element.text for element in root.iter(f"{SVG}title")]
    assert len(titles) == len(drawn.nodes) == int(forest.count[1])
    assert sum("pruned" in title for title in titles) == sum(n.status == "pruned" for n in drawn.nodes) > 0
    edges = [path for path in root.iter(f"{SVG}path") if "C" in path.get("d")]
    assert len(edges) == len(drawn.nodes) - 1
    dashed = [path for path in edges if path.get("stroke-dasharray")]
    chosen = [path for path in edges if path.get("stroke-width") == "3.2"]
    assert len(chosen) == len(drawn.chosen) - 1 >= 1
    assert len(dashed) == sum(
        n.status == "pruned" for k, n in enumerate(drawn.nodes) if k not in drawn.chosen
    )
    images = list(root.iter(f"{SVG}image"))
    assert len(images) == {"none": 0, "path": len(drawn.chosen), "all": len(drawn.nodes)}[thumbnails]
    pixels = np.asarray(Image.open(paths[1]).convert("RGB")).astype(int)
    orange = (abs(pixels - [0xE8, 0x87, 0x1E]).max(2) < 12).sum()
    assert orange > 200 and (pixels.min(2) == 255).mean() > 0.3
    dot = paths[2].read_text()
    assert len(re.findall(r"^  n\d+ \[", dot, re.M)) == len(drawn.nodes)
    assert len(re.findall(r" -> ", dot)) == len(drawn.nodes) - 1


def test_a_root_alone_can_be_drawn(tmp_path):
    planner = RolloutIW(EnvSimulator(Gridworld("path", games=1), check=False), trees=1)
    planner.begin(planner.simulator.initial(1))
    Pictures().write(planner, tmp_path)


def test_what_cannot_be_drawn_is_said(tmp_path):
    with pytest.raises(UserError, match="none, path, all"):
        Pictures(thumbnails="some")
    planner, _ = grown(budget=5)
    planner.simulator.env = torch.nn.Identity()
    with pytest.raises(UserError, match="thumbnails=none"):
        Pictures().write(planner, tmp_path, action=0)


def test_a_gif_has_every_picture(tmp_path):
    seen = [np.full((10, 12, 3), 20 * k, np.uint8) for k in range(5)]
    write_gif(seen, tmp_path / "episode.gif")
    with Image.open(tmp_path / "episode.gif") as made:
        assert made.n_frames == 5 and made.size == (240, 200)
        for k in range(5):
            made.seek(k)
            assert abs(np.asarray(made.convert("RGB")).astype(int) - 20 * k).max() <= 2


# --- the program ---


def test_modes_plan_and_play(pvg):
    few = ["experiment=planning", "planner=rollout_iw", "env.games=2", "planner.budget=60"]
    done = pvg(*few, "mode=plan", "folder=drawn", "pictures.dot=false").ok()
    assert done.json["nodes"] == done.json["interactions"] + 1 and done.json["action"] in ("left", "right")
    assert sorted(path.name for path in (done.folder / "drawn").iterdir()) == ["tree.png", "tree.svg"]
    done = pvg(*few, "mode=play", "folder=played", "trainer.longest=80").ok()
    with Image.open(done.folder / "played/episode.gif") as made:
        assert 1 < made.n_frames <= done.json["steps"] + 1  # frames alike may be one
    assert (done.json["return"] == 1) == (done.json["steps"] < 80)


def test_a_checkpoint_is_drawn_with_what_it_has_learned(pvg):
    run = ["experiment=planning", "env.games=4", "trainer.decisions=3", "trainer.longest=8", "tracker=csv"]
    done = pvg(*run, "trainer.imitation.first=8", "episodes=4", "folder=run").ok()
    assert (done.folder / "run/result.json").is_file()
    for mode, name in (("plan", "tree.svg"), ("play", "episode.gif")):
        pvg(f"mode={mode}", "checkpoint=run", folder=done.folder).ok()
        assert (done.folder / "run" / name).is_file()
