"""Pictures of search trees: what a tree looks like as shapes, and the same as SVG, as PNG and as DOT."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image as Drawing

from pvg.errors import UserError
from pvg.planning import shapes
from pvg.planning.planner import Planner
from pvg.planning.shapes import Disc, Image, Line, Shape, Square, Text
from pvg.planning.simulator import rows
from pvg.planning.sketch import OPEN, OVER, PRUNED, Node, Sketch, sketch, tidy

INK, FAINT, EDGE, CHOSEN = "#22303a", "#75838d", "#9fabb4", "#e8871e"
BAD, NEUTRAL, GOOD = (176, 52, 60), (226, 230, 233), (22, 125, 109)
THUMBNAILS = ("none", "path", "all")
LABELLED = 90  # nodes of a tree that has words at every node
MARGIN, HEAD = 28.0, 86.0


class Pictures:
    """Draws the trees of planners.

    Edges that were pruned (what they lead to is not novel) are dashed, their nodes small; the chosen action and the
    best path below it are orange.  A node's colour is its return, its size how often it was visited; a dark rim says
    that there is more to explore, a square that the game is over.  In an SVG each node tells more under the pointer.

    Args:
        thumbnails: what is seen in the states: ``none``; ``path``, along the chosen path, in a strip below the tree;
            or ``all``, at every node.
        dot: write the tree for graphviz, too.

    Raises:
        UserError: other thumbnails.
    """

    def __init__(self, *, thumbnails: str = "path", dot: bool = True):
        if thumbnails not in THUMBNAILS:
            raise UserError(f"pictures.thumbnails={thumbnails}: there are {', '.join(THUMBNAILS)}.")
        self.thumbnails, self.dot = thumbnails, dot

    def write(
        self, planner: Planner, folder: Path, *, action: int | None = None, tree: int = 0, name: str = "tree"
    ) -> list[Path]:
        """Write ``name.svg``, ``name.png`` and ``name.dot`` of one of a planner's trees; their paths."""
        drawn = sketch(planner, action, tree)
        images = self._images(planner, drawn)
        made, size = draw(drawn, type(planner).__name__, images, self.thumbnails)
        paths = [folder / f"{name}.svg", folder / f"{name}.png"]
        paths[0].write_text(shapes.svg(made, size))
        shapes.png(made, size, paths[1])
        if self.dot:
            paths.append(folder / f"{name}.dot")
            paths[2].write_text(dot(drawn))
        return paths

    def _images(self, planner: Planner, drawn: Sketch) -> dict[int, np.ndarray]:
        """What is seen at the nodes that show it, uint8 ``[height, width, 3]``."""
        wanted = {"none": [], "path": drawn.chosen, "all": list(range(len(drawn.nodes)))}[self.thumbnails]
        if not wanted:
            return {}
        forest = planner.forest
        index = forest.roots.new_tensor(wanted) + drawn.address
        return dict(zip(wanted, planner.simulator.draw(rows(forest.states, index)).numpy(force=True)))


def draw(
    drawn: Sketch, title: str, images: dict[int, np.ndarray], thumbnails: str = "none"
) -> tuple[list[Shape], tuple[float, float]]:
    """A tree as shapes, and the size of the whole."""
    nodes, all_ = drawn.nodes, thumbnails == "all" and bool(images)
    unit, step = (64.0, 100.0) if all_ else _scale(len(nodes))
    words = len(nodes) <= LABELLED and not all_
    sizes = [(unit * 0.6, step * 0.75) if n.status == PRUNED and not all_ else (unit, step) for n in nodes]
    places = tidy(sizes, [node.children for node in nodes])
    width = max(float(places[:, 0].max()) + unit, 470.0)
    places[:, 0] += (width - float(places[:, 0].max()) - unit / 2) / 2 + MARGIN
    places[:, 1] += HEAD + MARGIN + (unit / 2 if all_ else 0.0)
    at = places.tolist()
    height = float(places[:, 1].max()) + MARGIN + unit / 2
    chosen = set(drawn.chosen)
    made: list[Shape] = [
        _edge(nodes, k, at, k in chosen) for k in sorted(range(1, len(nodes)), key=lambda k: k in chosen)
    ]
    scale = max(max((abs(node.best) for node in nodes), default=0.0), 1e-9)
    most, said = max(node.visits for node in nodes), list[Shape]()
    for k, node in enumerate(nodes):
        if all_:
            made += _framed(drawn, k, images[k], at, unit, scale)
        else:
            radius = _radius(node, most, unit, words)
            made += _mark(node, at[k], radius, scale, k in chosen, _told(drawn, k))
            said += _words(drawn, k, at, radius, words, scale)
    made += [*said, *_head(drawn, title, scale)]
    if images and not all_:
        strip, tall = _strip(drawn, images, height, width)
        made, height = made + strip, height + tall
    return made, (width + 2 * MARGIN, height + MARGIN)


def _scale(count: int) -> tuple[float, float]:
    """How wide a node is, and how far it is from its parent."""
    shrink = math.sqrt(50 / max(count, 50))
    return max(42.0 * shrink, 8.0), max(66.0 * shrink**0.7, 22.0)


def _radius(node: Node, most: int, unit: float, words: bool) -> float:
    if node.status == PRUNED:
        return unit * 0.09 + 0.8
    share = math.sqrt(math.log1p(node.visits) / math.log1p(max(most, 1)))
    return unit * (0.25 + 0.12 * share if words else 0.14 + 0.2 * share)


def _colour(node: Node, scale: float) -> str:
    share = max(-1.0, min(1.0, node.best / scale))
    strong = abs(share) ** 0.6
    return _hex(round(n + (x - n) * strong) for n, x in zip(NEUTRAL, GOOD if share > 0 else BAD))


def _hex(colour: Iterable[int]) -> str:
    return "#" + "".join(f"{c:02x}" for c in colour)


def _edge(nodes: list[Node], k: int, at: list[list[float]], chosen: bool) -> Line:
    (x, y), (to_x, to_y) = at[nodes[k].parent], at[k]
    pruned, middle = nodes[k].status == PRUNED, (y + to_y) / 2
    points = [(x, y), (x, middle), (to_x, middle), (to_x, to_y)]
    if chosen:
        return Line(points, CHOSEN, 3.2)
    return Line(points, EDGE, 0.8 if pruned else 1.1, dashed=pruned)


def _mark(node: Node, at: list[float], radius: float, scale: float, chosen: bool, told: str) -> list[Shape]:
    (x, y), fill = at, _colour(node, scale)
    rim = CHOSEN if chosen else INK if node.status == OPEN else EDGE
    width = 2.2 if chosen else 1.1 if node.status == OPEN else 0.8
    if node.status == OVER:
        return [Square(x, y, radius * 1.8, fill, rim, width, told)]
    return [Disc(x, y, radius, "#ffffff" if node.status == PRUNED else fill, rim, width, told)]


def _words(
    drawn: Sketch, k: int, at: list[list[float]], radius: float, words: bool, scale: float
) -> list[Shape]:
    """The action that leads to a node, its return and its visits; of a large tree only what matters most."""
    node, (x, y) = drawn.nodes[k], at[k]
    if not k:
        return [Text(x, y + 2.5, f"{node.visits}", 7, INK, "middle")] if words else []
    if not words:
        if k in drawn.chosen or (node.parent == 0 and node.children):
            said = f"{drawn.moves[node.action]} {_number(node.best)}"
            return [Text(x + radius + 3, y + 2.5, said, 7, INK, "start", halo=True)]
        return []
    above = y - (radius if node.status != PRUNED else 2.5) - 4
    made: list[Shape] = [Text(x, above, drawn.moves[node.action], 6.5, FAINT, "middle", halo=True)]
    if node.status != PRUNED:
        light = abs(node.best) > 0.4 * scale
        made.append(Text(x, y + 2.4, _number(node.best), 6.5, "#ffffff" if light else INK, "middle"))
        made.append(Text(x + radius + 1.5, y + radius, f"{node.visits}", 6, FAINT, "start", halo=True))
    return made


def _framed(
    drawn: Sketch, k: int, image: np.ndarray, at: list[list[float]], unit: float, scale: float
) -> list[Shape]:
    """A node that shows what is seen there."""
    node, (x, y), size = drawn.nodes[k], at[k], unit * 0.8
    frame = CHOSEN if k in drawn.chosen else EDGE if node.status == PRUNED else _colour(node, scale)
    made: list[Shape] = [
        Square(x, y, size + 6, frame, frame, 0.8, _told(drawn, k)),
        Image(x - size / 2, y - size / 2, size, size, image),
    ]
    if k:
        made.append(Text(x, y - size / 2 - 6, drawn.moves[node.action], 7, FAINT, "middle", halo=True))
        said = f"{_number(node.best)} ({node.visits})"
        made.append(Text(x, y + size / 2 + 12, said, 7, INK, "middle", halo=True))
    return made


def _head(drawn: Sketch, title: str, scale: float) -> list[Shape]:
    """What is drawn, and what its signs mean."""
    nodes, top = drawn.nodes, MARGIN
    statuses = [node.status for node in nodes]
    facts = f"{len(nodes)} nodes, {statuses.count(PRUNED)} pruned, depth {max(node.depth for node in nodes)}"
    if len(drawn.chosen) > 1:
        first = nodes[drawn.chosen[1]]
        facts += f"; chosen: {drawn.moves[first.action]}, return {_number(first.best)}"
    made: list[Shape] = [
        Text(MARGIN, top + 6, title, 15, INK, "start", bold=True),
        Text(MARGIN, top + 24, facts, 9.5, FAINT, "start"),
    ]
    y, x, grey = top + 43, MARGIN + 5, _hex(NEUTRAL)
    signs: list[tuple[Disc | Square, str]] = [
        (Disc(x, y, 4.5, grey, INK, 1.1), "more to explore"),
        (Disc(x, y, 4.5, grey, EDGE, 0.8), "solved"),
        (Disc(x, y, 3.0, "#ffffff", EDGE, 0.8), "pruned"),
        (Square(x, y, 8.0, grey, EDGE, 0.8), "game over"),
    ]
    if scale > 1e-9:
        signs.append((Square(x, y, 9.0, _hex(GOOD), EDGE, 0), f"return {_number(scale)}"))
        signs.append((Square(x, y, 9.0, _hex(BAD), EDGE, 0), _number(-scale)))
    for sign, said in signs:
        sign.x = x
        made += [sign, Text(x + 9, y + 3, said, 8.5, FAINT, "start")]
        x += 24 + 4.9 * len(said)
    counted = "how often rollouts came there" if drawn.counted else "nodes from there on"
    made.append(Text(MARGIN, y + 19, f"at nodes: return, and {counted}", 8.5, FAINT, "start"))
    return made


def _strip(
    drawn: Sketch, images: dict[int, np.ndarray], top: float, width: float
) -> tuple[list[Shape], float]:
    """What is seen along the chosen path, in rows, and how high they are."""
    made: list[Shape] = [Line([(MARGIN, top + 6), (MARGIN + width, top + 6)], _hex(NEUTRAL), 1.0)]
    size, gap, row = 78.0, 9.0, 106.0
    columns = max(1, int((width + gap) // (size + gap)))
    for place, k in enumerate(drawn.chosen):
        node, x, y = drawn.nodes[k], MARGIN + place % columns * (size + gap), top + place // columns * row
        said = drawn.moves[node.action] if place else "now"
        said += f" {node.reward:+g}" if node.reward else ""
        made += [
            Text(x + size / 2, y + 23, said, 8.5, INK, "middle"),
            Image(x, y + 29, size, size, images[k]),
        ]
    return made, 8 + math.ceil(len(drawn.chosen) / columns) * row


def _told(drawn: Sketch, k: int) -> str:
    """All there is to say of a node."""
    node = drawn.nodes[k]
    if not k:
        return f"root: {node.visits} {'rollouts' if drawn.counted else 'nodes'}"
    seen = "visits" if drawn.counted else "nodes from here on"
    return (
        f"{drawn.moves[node.action]}: return {_number(node.best)}, reward {_number(node.reward)}, "
        f"{node.visits} {seen}, depth {node.depth}, {node.status}"
    )


def _number(value: float) -> str:
    return (
        f"{value:.2f}".rstrip("0").rstrip(".").replace("-0", "0", 1) if abs(value) < 0.005 else f"{value:.3g}"
    )


def dot(drawn: Sketch) -> str:
    """The tree for graphviz: ``dot -Tpdf tree.dot``."""
    lines = ["digraph tree {", '  node [shape=circle, fontname="Helvetica", fontsize=9, style=filled];']
    scale = max(max(abs(node.best) for node in drawn.nodes), 1e-9)
    chosen = set(drawn.chosen)
    for k, node in enumerate(drawn.nodes):
        shape = "square" if node.status == OVER else "circle"
        said = f"{_number(node.best)}\\n{node.visits}"
        fill = "#ffffff" if node.status == PRUNED else _colour(node, scale)
        rim = CHOSEN if k in chosen else INK if node.status == OPEN else EDGE
        lines.append(f'  n{k} [label="{said}", shape={shape}, fillcolor="{fill}", color="{rim}"];')
        if k:
            style = "dashed" if node.status == PRUNED else "solid"
            thick, colour = (3, CHOSEN) if k in chosen else (1, EDGE)
            said = f'label="{drawn.moves[node.action]}", style={style}, penwidth={thick}, color="{colour}"'
            lines.append(f"  n{node.parent} -> n{k} [{said}, fontsize=8];")
    return "\n".join([*lines, "}", ""])


def write_gif(seen: Sequence[np.ndarray], path: Path, seconds: float = 0.15) -> None:
    """Pictures ``[height, width, 3]`` one after the other, small ones enlarged; the last one stays for a while."""
    times = max(1, 240 // max(seen[0].shape[:2]))
    large = [Drawing.fromarray(one).resize((one.shape[1] * times, one.shape[0] * times), 0) for one in seen]
    durations = [round(1000 * seconds)] * (len(large) - 1) + [1500]
    large[0].save(path, save_all=True, append_images=large[1:], duration=durations, loop=0, disposal=1)
