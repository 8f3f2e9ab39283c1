"""A few shapes, and how they become SVG (written here) or PNG (drawn by matplotlib)."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from PIL import Image as Drawing

FONT = "DejaVu Sans, Verdana, Helvetica, sans-serif"


@dataclass
class Line:
    """A line; four points are those of a Bézier curve."""

    points: Sequence[tuple[float, float]]
    colour: str
    width: float
    dashed: bool = False


@dataclass
class Disc:
    """A disc around a point; ``told`` is said when the pointer is on it."""

    x: float
    y: float
    radius: float
    fill: str
    rim: str
    width: float
    told: str = ""


@dataclass
class Square:
    """A square around a point."""

    x: float
    y: float
    size: float
    fill: str
    rim: str
    width: float
    told: str = ""


@dataclass
class Text:
    """Words on a line at ``y``; ``anchor`` is start or middle, and a halo keeps them apart from what is behind."""

    x: float
    y: float
    said: str
    size: float
    colour: str
    anchor: str
    bold: bool = False
    halo: bool = False


@dataclass
class Image:
    """A picture uint8 ``[h, w, 3]``, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    seen: np.ndarray


Shape = Line | Disc | Square | Text | Image


def svg(made: Sequence[Shape], size: tuple[float, float]) -> str:
    """The shapes as a document of SVG 1.1, pictures within it."""
    width, height = size
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.1f} {height:.1f}" font-family={quoteattr(FONT)}>',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        *map(_element, made),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _element(shape: Shape) -> str:
    if isinstance(shape, Line):
        first, *rest = (f"{x:.1f} {y:.1f}" for x, y in shape.points)
        path = f"M{first} {'C' if len(rest) == 3 else 'L'}{' '.join(rest)}"
        dashed = ' stroke-dasharray="2.5 2.5"' if shape.dashed else ""
        return (
            f'<path d="{path}" fill="none" stroke="{shape.colour}" stroke-width="{shape.width:g}" '
            f'stroke-linecap="round"{dashed}/>'
        )
    if isinstance(shape, Text):
        weight = ' font-weight="bold"' if shape.bold else ""
        halo = ' stroke="#ffffff" stroke-width="2" paint-order="stroke"' if shape.halo else ""
        return (
            f'<text x="{shape.x:.1f}" y="{shape.y:.1f}" font-size="{shape.size:g}" fill="{shape.colour}" '
            f'text-anchor="{shape.anchor}"{weight}{halo}>{escape(shape.said)}</text>'
        )
    if isinstance(shape, Image):
        return (
            f'<image x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" height="{shape.height:.1f}" '
            f'preserveAspectRatio="xMidYMid" style="image-rendering:pixelated" href="{_embedded(shape.seen)}"/>'
        )
    look = f'fill="{shape.fill}" stroke="{shape.rim}" stroke-width="{shape.width:g}"'
    title = f"<title>{escape(shape.told)}</title>" if shape.told else ""
    if isinstance(shape, Disc):
        return f'<circle cx="{shape.x:.1f}" cy="{shape.y:.1f}" r="{shape.radius:.2f}" {look}>{title}</circle>'
    x, y = shape.x - shape.size / 2, shape.y - shape.size / 2
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{shape.size:.1f}" height="{shape.size:.1f}" rx="1.5" {look}>'
        f"{title}</rect>"
    )


def _embedded(seen: np.ndarray) -> str:
    kept = io.BytesIO()
    Drawing.fromarray(seen).save(kept, "PNG")
    return "data:image/png;base64," + base64.b64encode(kept.getvalue()).decode()


def png(made: Sequence[Shape], size: tuple[float, float], path: Path, sharp: float = 2.0) -> None:
    """The shapes as a PNG of ``sharp`` pixels a unit; less if it would have more than 8,000 a side."""
    from matplotlib import patches, patheffects
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.path import Path as Curve

    width, height = size
    sharp = min(sharp, 8000 / max(size))
    figure = Figure(figsize=(width / 72, height / 72), dpi=72 * sharp, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    for order, shape in enumerate(made):
        if isinstance(shape, Text):
            weight = "bold" if shape.bold else "normal"
            align = "left" if shape.anchor == "start" else "center"
            halo = [patheffects.withStroke(linewidth=2, foreground="white")] if shape.halo else None
            axes.text(
                shape.x, shape.y, shape.said, size=shape.size, color=shape.colour, weight=weight, ha=align,
                va="baseline", zorder=order, path_effects=halo,
            )  # fmt: skip
        elif isinstance(shape, Image):
            x, y, right, low = shape.x, shape.y, shape.x + shape.width, shape.y + shape.height
            rows, columns = shape.seen.shape[:2]
            side = min(shape.width / columns, shape.height / rows)  # as an SVG has it: whole, in the middle
            x, right = (x + right - columns * side) / 2, (x + right + columns * side) / 2
            y, low = (y + low - rows * side) / 2, (y + low + rows * side) / 2
            axes.imshow(
                shape.seen, extent=(x, right, low, y), interpolation="nearest", aspect="auto", zorder=order
            )
        elif isinstance(shape, Line):
            codes = [Curve.MOVETO] + [Curve.CURVE4 if len(shape.points) == 4 else Curve.LINETO] * (
                len(shape.points) - 1
            )
            style = (0, (2.5 / shape.width, 2.5 / shape.width)) if shape.dashed else "solid"
            axes.add_patch(
                patches.PathPatch(
                    Curve(list(shape.points), codes), fill=False, edgecolor=shape.colour, linewidth=shape.width,
                    linestyle=style, capstyle="round", zorder=order,
                )
            )  # fmt: skip
        else:
            look: dict[str, Any] = {
                "facecolor": shape.fill,
                "edgecolor": shape.rim,
                "linewidth": shape.width,
                "zorder": order,
            }
            if isinstance(shape, Disc):
                axes.add_patch(patches.Circle((shape.x, shape.y), shape.radius, **look))
            else:
                corner = shape.x - shape.size / 2, shape.y - shape.size / 2
                axes.add_patch(patches.Rectangle(corner, shape.size, shape.size, **look))
    axes.set(xlim=(0, width), ylim=(height, 0))  # pictures change the limits
    FigureCanvasAgg(figure).print_png(path)
