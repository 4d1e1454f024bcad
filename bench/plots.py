"""Plots as SVG: the same figures give the same bytes.

There is no background, and what is drawn is readable on white and on black.
"""

import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Final, TypeVar

with warnings.catch_warnings():
    # Parts of what it needs announce on import what they will drop one day.
    warnings.simplefilter("ignore")
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Halfway between black and white, so that it is seen on both.
_INK: Final = "#808080"
_FAINT: Final = "#80808055"
_COLOURS: Final = ("#3987d6", "#d97b29", "#3fa35b", "#c0568f", "#8a7fd1", "#a08a2c")
_STYLE: Final = {
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": _INK,
    "axes.titlesize": 10,
    "font.family": "sans-serif",
    "font.size": 9,
    "grid.color": _FAINT,
    "grid.linewidth": 0.4,
    "legend.frameon": False,
    "legend.labelcolor": _INK,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.3,
    "ytick.minor.width": 0.3,
    # Text stays text, and nothing in the file depends on chance or on the day.
    "svg.fonttype": "none",
    "svg.hashsalt": "authz-sidecar",
}
_METADATA: Final = {"Date": None, "Creator": None}
# More points than this are not to be seen in a picture, and make a large file.
_POINTS: Final = 300
_STEPS: Final = 150

T = TypeVar("T")
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Axis:
    """What an axis says. `is_log`: each step is ten times the one before."""

    label: str
    is_log: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One of several plots above each other: lines by name, over a common x axis."""

    label: str
    lines: Mapping[str, Points]


def distribution(
    path: Path,
    samples: Mapping[str, Sequence[float]],
    label: str,
    *,
    mark: float | None = None,
    title: str = "",
) -> None:
    """The share of samples that are at most x, on a log axis; one line for each name.

    Args:
        path: The file to write.
        samples: By name; all above zero, none empty.
        label: What x is, with its unit.
        mark: Where to draw an upright line, such as an aim.
        title: Above the plot.

    Raises:
        ValueError: A sample is not above zero, or there is none.
    """
    for name, values in samples.items():
        if not values or min(values) <= 0:
            raise ValueError(f"`{name}` has no samples, or one that is not above zero")
    with _figure(title) as (figure, (axes,)):
        for colour, (name, values) in _coloured(samples):
            steps = _split(cumulative(values))
            axes.step(*steps, where="post", label=name, color=colour)
        if mark is not None:
            axes.axvline(mark, color=_INK, linewidth=0.8, linestyle=(0, (4, 3)))
        _label(axes, Axis(label, is_log=True), Axis("share of all"))
        axes.set_ylim(0, 1.02)
        if len(samples) > 1:
            axes.legend(loc="lower right")
        _save(figure, path)


def lines(
    path: Path, series: Mapping[str, Points], x: Axis, y: Axis, *, title: str = ""
) -> None:
    """What y is at each x, such as a cost at a size; one line for each name.

    Raises ValueError when a series is empty.
    """
    if not all(series.values()):
        raise ValueError("a line needs points")
    with _figure(title) as (figure, (axes,)):
        for colour, (name, points) in _coloured(series):
            axes.plot(*_split(points), marker="o", label=name, color=colour)
        _label(axes, x, y)
        if not y.is_log:
            axes.set_ylim(bottom=0)
        if len(series) > 1:
            axes.legend(loc="best")
        _save(figure, path)


def panels(path: Path, over: str, parts: Sequence[Panel], *, title: str = "") -> None:
    """Several plots above each other, with one x axis, such as a time.

    Raises ValueError when a line is empty.
    """
    if not all(points for part in parts for points in part.lines.values()):
        raise ValueError("a line needs points")
    with _figure(title, len(parts)) as (figure, all_axes):
        for axes, part in zip(all_axes, parts, strict=True):
            for colour, (name, points) in _coloured(part.lines):
                axes.plot(*_split(points), label=name, color=colour)
            _label(axes, Axis(over if axes is all_axes[-1] else ""), Axis(part.label))
            axes.set_ylim(bottom=0)
            if len(part.lines) > 1:
                axes.legend(loc="best", ncols=3, fontsize=8)
        _save(figure, path)


def cumulative(values: Sequence[float]) -> list[tuple[float, float]]:
    """Each value with the share of values that are at most that, few enough to draw.

    The upper end keeps all its points: there are few of them, and they matter most.
    """
    ordered = sorted(values)
    count = len(ordered)
    tail = max(count - _STEPS // 3, 0)
    step = max(math.ceil(tail / (2 * _STEPS / 3)), 1)
    kept = [*range(0, tail, step), *range(tail, count)]
    return [(ordered[place], (place + 1) / count) for place in kept]


def thinned(points: Points) -> list[tuple[float, float]]:
    """As many of the points as can be seen; the first and the last are among them."""
    step = max(math.ceil(len(points) / _POINTS), 1)
    kept = list(points[::step])
    if kept[-1] != points[-1]:
        kept.append(points[-1])
    return kept


@contextmanager
def _figure(title: str, rows: int = 1) -> Iterator[tuple[Figure, list[Axes]]]:
    """A figure with axes above each other; the style holds while it is open."""
    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]  # which names all settings
        height = 3.4 if rows == 1 else 1.5 * rows + 0.6
        figure = Figure(figsize=(7, height), layout="constrained")
        figure.patch.set_alpha(0)
        column = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
        if title:
            column[0].set_title(title)
        yield figure, list(column)


def _coloured(named: Mapping[str, T]) -> Iterator[tuple[str, tuple[str, T]]]:
    # The colours go round.
    return zip(cycle(_COLOURS), named.items(), strict=False)


def _split(points: Points) -> tuple[list[float], list[float]]:
    kept = thinned(points)
    return [x for x, _ in kept], [y for _, y in kept]


def _label(axes: Axes, x: Axis, y: Axis) -> None:
    axes.patch.set_alpha(0)
    axes.grid(visible=True)
    axes.set_axisbelow(True)
    axes.set_xlabel(x.label)
    axes.set_ylabel(y.label)
    if x.is_log:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    if y.is_log:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, format="svg", metadata=_METADATA)
    text = path.read_text(encoding="utf-8")
    # What the drawing program says of itself changes with its version.
    text = re.sub(r" <metadata>.*?</metadata>\n", "", text, flags=re.DOTALL)
    text = "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    path.write_text(text, encoding="utf-8")
