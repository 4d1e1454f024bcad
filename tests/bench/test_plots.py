from collections.abc import Callable
from pathlib import Path

import pytest

from bench.plots import Axis, Panel, cumulative, distribution, lines, panels, thinned

SAMPLES = {name: [0.1 + 0.003 * n**1.3 for n in range(1000)] for name in "abcdef"}
SERIES = {"cost": [(10.0**n, 2.0 * n + 1) for n in range(6)]}
DRAWN = {
    "distribution": lambda path: distribution(path, SAMPLES, "seconds", mark=5),
    "lines": lambda path: lines(
        path, SERIES, Axis("size", is_log=True), Axis("seconds")
    ),
    "panels": lambda path: panels(
        path, "seconds", [Panel("cost", SERIES), Panel("again", SERIES)], title="cost"
    ),
}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN.keys())
def test_same_bytes(draw: Callable[[Path], None], tmp_path: Path) -> None:
    """The same figures give the same file, of at most 60 kB."""
    first, second = tmp_path / "first.svg", tmp_path / "second.svg"

    draw(first)
    draw(second)

    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size <= 60_000


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN.keys())
def test_readable_anywhere(draw: Callable[[Path], None], tmp_path: Path) -> None:
    """Text is text, in no colour that a background could have, and nothing is dated."""
    draw(tmp_path / "plot.svg")

    text = (tmp_path / "plot.svg").read_text()

    assert "seconds</text>" in text
    assert [] == [each for each in ("#ffffff", "#000000", "<dc:date>") if each in text]


def test_cumulative() -> None:
    """Of each value it is told which share of all is at most that."""
    assert [(1, 0.25), (2, 0.5), (3, 0.75), (9, 1)] == cumulative([9, 2, 1, 3])


def test_cumulative_keeps_the_end() -> None:
    """Of many values few are left, and the greatest are all among them."""
    points = cumulative(list(range(10_000)))

    assert len(points) <= 200
    assert [(float(n), (n + 1) / 10_000) for n in range(9_950, 10_000)] == points[-50:]


def test_thinned() -> None:
    """Of many points few are left, the first and the last among them."""
    points = thinned([(float(n), 0.0) for n in range(10_000)])

    assert len(points) <= 301
    assert [(0, 0), (9_999, 0)] == [points[0], points[-1]]


@pytest.mark.parametrize("samples", [[], [1.0, 0.0]])
def test_nothing_to_show(samples: list[float], tmp_path: Path) -> None:
    """What a log axis cannot show is refused."""
    with pytest.raises(ValueError, match="above zero"):
        distribution(tmp_path / "plot.svg", {"none": samples}, "seconds")
