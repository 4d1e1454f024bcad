"""Plays vectors through a language's runner, against one address."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clients.conformance.languages import Language
from clients.conformance.sidecars import Addresses, Secure

# For all vectors of a world; a runner that hangs must not hang everything.
SECONDS: Final = 180.0


@dataclass(frozen=True, slots=True)
class Told:
    """What a runner tells of one vector.

    `ok` is none for one that was skipped, and then `why` says why.
    """

    group: str
    vector: str
    ok: bool | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to reach a sidecar."""

    name: str
    arguments: tuple[str, ...]


def ways(engine: str, addresses: Addresses) -> list[Way]:
    """The ways to a sidecar whose listeners without TLS are of an engine."""
    plain = [
        Way(f"{engine} unix", ("--address", addresses.unix)),
        Way(f"{engine} tcp", ("--address", addresses.tcp)),
    ]
    secure = addresses.tls
    return plain if secure is None else [*plain, _secure(secure)]


def _secure(tls: Secure) -> Way:
    files = ("--ca", tls.ca, "--cert", tls.cert, "--key", tls.key)
    return Way("grpcio mtls", ("--address", tls.address, *files))


async def play(language: Language, way: Way, file: Path) -> list[Told]:
    """What the runner tells of each vector of a file, in the file's order.

    A vector of which it tells nothing is not ok, and neither is any when it fails.
    """
    wanted = _vectors(file)
    process = await asyncio.create_subprocess_exec(
        *language.runner,
        *way.arguments,
        str(file),
        cwd=language.folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        return [Told(*each, ok=False, why="the runner hangs") for each in wanted]
    if process.returncode != 0:
        last = (err.decode(errors="replace").strip().splitlines() or [""])[-1]
        why = f"the runner ended with {process.returncode}: {last}"
        return [Told(*each, ok=False, why=why) for each in wanted]
    return _judged(wanted, out.decode(errors="replace").splitlines())


def _vectors(file: Path) -> list[tuple[str, str]]:
    content = json.loads(file.read_text(encoding="utf-8"))
    return [(each["group"], each["id"]) for each in content["vectors"]]


def _judged(wanted: Sequence[tuple[str, str]], lines: Sequence[str]) -> list[Told]:
    told: dict[str, Mapping[str, object]] = {}
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and "id" in row:
            told[str(row["id"])] = row
    return [_told(group, vector, told.get(vector)) for group, vector in wanted]


def _told(group: str, vector: str, row: Mapping[str, object] | None) -> Told:
    if row is None:
        return Told(group, vector, ok=False, why="the runner told nothing")
    if "skipped" in row:
        return Told(group, vector, ok=None, why=str(row["skipped"]))
    return Told(group, vector, ok=row.get("ok") is True, why=str(row.get("told", "")))
