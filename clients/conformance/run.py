"""Plays all vectors through the client of every language, and prints a table.

    python clients/conformance/run.py [--language NAME]…

Against both engines, by Unix socket and by TCP, in the clear and with mTLS. Fails when
a vector is not met, a language skips too many, or with CI=true a language is missing.
The clients are built already: `make clients` does both.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "clients" / "python")]

from rich.console import Console  # noqa: E402  after the path
from rich.table import Table  # noqa: E402

from clients.conformance.believing import believe  # noqa: E402
from clients.conformance.languages import (  # noqa: E402
    HERE,
    Language,
    is_complete,
    present,
)
from clients.conformance.playing import Told, play, ways  # noqa: E402
from clients.conformance.sidecars import World, served, short_folder  # noqa: E402
from sidecar.store.embedded import EmbeddedPostgres  # noqa: E402

ENGINES: Final[tuple[Literal["native", "grpcio"], ...]] = ("native", "grpcio")
# A line for each failure would bury the table.
MOST_LINES: Final = 40

Results = dict[str, list[Told]]


def main() -> int:
    """Plays, prints, and returns 1 when something is not as it must be."""
    parser = argparse.ArgumentParser(description="Plays all vectors.")
    parser.add_argument("--language", action="append", default=[])
    chosen, skipped = present(parser.parse_args().language)
    begun = time.monotonic()
    with (
        short_folder() as folder,
        EmbeddedPostgres(folder / "data", durable=False) as postgres,
    ):
        results, seconds = asyncio.run(_play_all(chosen, postgres, folder))
    console = Console(width=160 if not sys.stdout.isatty() else None)
    console.print(_table(chosen, results, seconds))
    problems = [*_failures(results), *_excess(chosen, results)]
    for line in [*_skips(results), *skipped, *problems[:MOST_LINES]]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(f"{len(problems)} problems, {time.monotonic() - begun:.0f} s")
    print(_closing(results))
    return 1 if problems or not chosen or not is_complete(skipped) else 0


async def _play_all(
    chosen: Sequence[Language], postgres: EmbeddedPostgres, folder: Path
) -> tuple[Results, Mapping[str, float]]:
    results: Results = {each.name: [] for each in chosen}
    seconds = dict.fromkeys(results, 0.0)
    for world, file in _whole_worlds(folder):
        for engine in ENGINES:
            place = folder / f"{world.name}-{engine}"
            place.mkdir()
            tls = engine == "grpcio"
            async with served(world, postgres, place, engine, tls=tls) as addresses:
                for way in ways(engine, addresses):
                    for language in chosen:
                        begun = time.monotonic()
                        told = await play(language, way, file)
                        seconds[language.name] += time.monotonic() - begun
                        results[language.name] += [_at(each, way.name) for each in told]
    for name, told in (await believe(chosen, folder)).items():
        results[name] += told
    return results, seconds


def _at(told: Told, way: str) -> Told:
    return Told(told.group, f"{told.vector} ({way})", told.ok, told.why)


def _whole_worlds(folder: Path) -> list[tuple[World, Path]]:
    # A runner starts once for all vectors of a world, not for each file: some start
    # slowly.
    vectors: dict[str, list[object]] = {}
    for path in sorted((HERE / "vectors").glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        vectors.setdefault(content["world"], []).extend(content["vectors"])
    whole = []
    for name, each in vectors.items():
        world = World.read(HERE / name)
        file = folder / f"{world.name}.json"
        file.write_text(json.dumps({"world": name, "vectors": each}))
        whole.append((world, file))
    return whole


def _table(
    chosen: Sequence[Language], results: Results, seconds: Mapping[str, float]
) -> Table:
    table = Table(title="vectors met, by language and group")
    table.add_column("group")
    for each in chosen:
        table.add_column(each.name, justify="right")
    groups = dict.fromkeys(told.group for each in results.values() for told in each)
    for group in groups:
        table.add_row(group, *(_cell(results[each.name], group) for each in chosen))
    table.add_section()
    table.add_row("all", *(_cell(results[each.name], None) for each in chosen))
    table.add_row("seconds", *(f"{seconds[each.name]:.0f}" for each in chosen))
    return table


def _cell(results: Sequence[Told], group: str | None) -> str:
    told = [each for each in results if group is None or each.group == group]
    met = sum(each.ok is True for each in told)
    played = sum(each.ok is not None for each in told)
    text = str(met) if met == played else f"[red]{met} of {played}[/red]"
    skipped = len(told) - played
    return text if not skipped else f"{text} [dim]-{skipped}[/dim]"


def _closing(results: Results) -> str:
    # In the form in which CI looks for whether anything was tested.
    told = [each.ok for some in results.values() for each in some]
    passed, failed = told.count(True), told.count(False)
    return f"vectors: {passed} passed, {failed} failed, {told.count(None)} skipped"


def _failures(results: Results) -> list[str]:
    return [
        f"{name}: {told.vector}: {told.why}"
        for name, each in results.items()
        for told in each
        if told.ok is False
    ]


def _skips(results: Results) -> list[str]:
    names = {
        (name, _bare(told.vector)): told.why
        for name, each in results.items()
        for told in each
        if told.ok is None
    }
    return [f"{name} skipped {vector}: {why}" for (name, vector), why in names.items()]


def _excess(chosen: Sequence[Language], results: Results) -> list[str]:
    lines = []
    for language in chosen:
        told = results[language.name]
        skipped = {_bare(each.vector) for each in told if each.ok is None}
        if len(skipped) > language.may_skip:
            lines.append(
                f"{language.name}: skips {len(skipped)} vectors, and may skip "
                f"{language.may_skip}"
            )
    return lines


def _bare(vector: str) -> str:
    return vector.partition(" ")[0]


if __name__ == "__main__":
    sys.exit(main())
