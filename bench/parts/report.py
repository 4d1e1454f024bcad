"""Figures as tables of the docs, with the machine and the versions that they are of."""

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from bench.marked_figures import write_figures
from bench.parts.cores import Memory
from bench.parts.loads import Spread

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
PICTURES: Final = PAGE.parent / "pictures"
_PACKAGES: Final = ("grpcio", "pygrpc-native", "protobuf", "asyncpg", "uvloop")
_MEGABYTE: Final = 2**20
SPREAD_HEAD: Final = ("p50", "p90", "p99", "max")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """On what and when figures were taken, and what else it had to do before."""
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    today = datetime.now(UTC).date()  # noqa: TID251  the day of the report itself
    return (
        f"{today}, {os.cpu_count()} cores of {_processor()}, Linux "
        f"{platform.release()}, Python {platform.python_version()}, {packages}; "
        f"load before: {load}."
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else "an unknown kind"


def spread(taken: Spread) -> list[str]:
    """The cells below SPREAD_HEAD."""
    return [took(each) for each in (taken.p50, taken.p90, taken.p99, taken.most)]


def took(seconds: float) -> str:
    """A time, with three digits that count."""
    if seconds < 0.001:  # noqa: PLR2004  a millisecond
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s"


def megabytes(size: int) -> str:
    """A size."""
    return f"{size / _MEGABYTE:.1f} MB"


def held(memory: Memory) -> list[str]:
    """Cells: resident, proportional, peak."""
    return [
        megabytes(each) for each in (memory.resident, memory.proportional, memory.peak)
    ]


def bar(
    name: str, found: float, wanted: float, unit: str, *, most: bool = False
) -> str:
    """A line that says whether a bar was met; `most` is a bar from above."""
    is_met = found <= wanted if most else found >= wanted
    word = "at most" if most else "at least"
    verdict = "met" if is_met else "**missed**"
    return f"- {name}: {found:,.4g} {unit}, {word} {wanted:,.4g} wanted: {verdict}"


def publish(program: str, figures: str, *, only_print: bool) -> None:
    """Prints figures, and puts them on the page unless they are only to be printed."""
    print(figures)
    if not only_print:
        write_figures(PAGE, program, figures)
