"""Whether a client believes a liar: each lie is an answer that allows, but for a fault.

The vectors want just that answer. A runner that finds one of them met took a lie for an
answer; against an honest server all must be met, or the trial would prove nothing.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeAlias

from clients.conformance.languages import HERE, ROOT, Language
from clients.conformance.lies import modes
from clients.conformance.playing import Told, Way, play

Row: TypeAlias = Mapping[str, object]

GROUP: Final = "lies"
_CALLER: Final = {"user_id": "1"}
_ROW: Final = {"kind": "model", "id": "1"}
_NEW: Final = {"kind": "model", "global": True}
_OWNED: Final = {"allowed": True, "reason": "OWNED"}
_ALL: Final = {"view": True, "read": "ALL", "create": "ALL"}
_GATE: Final = {"gate": {"platform_admin": True}}
_LIES: Final[tuple[tuple[str, Row, Row], ...]] = (
    ("CheckVisible", {"resources": [_ROW, _ROW]}, {"decisions": [_OWNED, _OWNED]}),
    ("CheckWritable", {"resources": [_ROW]}, {"decisions": [_OWNED]}),
    ("CheckCreatable", {"resources": [_NEW]}, {"decisions": [_OWNED]}),
    ("CheckRole", _GATE, {"decision": {"allowed": True, "reason": "PLATFORM_ADMIN"}}),
    ("GetPermissions", {"queries": [{"context": "DATA"}]}, {"permissions": [_ALL]}),
    (
        "Authorize",
        {"requirements": [{"visible": _ROW}, {"visible": _ROW}]},
        {"decision": {"allowed": True, "reason": "ALL_HOLD"}},
    ),
    ("GetListFilter", {"kind": "model"}, {"filter": {"everything": True}}),
)


async def believe(languages: Sequence[Language], folder: Path) -> dict[str, list[Told]]:
    """For each language, whether it saw through each lie."""
    file = folder / "lies.json"
    file.write_text(json.dumps({"world": "", "vectors": _vectors()}))
    found: dict[str, list[Told]] = {each.name: [] for each in languages}
    for mode in modes():
        async with _liar(mode, f"unix:{folder / f'{mode}.sock'}") as address:
            way = Way(mode, ("--address", address))
            for language in languages:
                told = await play(language, way, file)
                found[language.name] += [_turned(mode, each) for each in told]
    return found


def _vectors() -> list[dict[str, object]]:
    return [
        {
            "id": f"lies/{call}",
            "group": GROUP,
            "call": call,
            "request": {"caller": _CALLER, **request},
            "want": {"response": response},
        }
        for call, request, response in _LIES
    ]


def _turned(mode: str, told: Told) -> Told:
    named = replace(told, vector=f"{told.vector} {mode}")
    if mode == "honest" or told.ok is None:
        return named
    # A runner that failed tells nothing of the client.
    if told.ok or told.why.startswith("the runner"):
        return replace(named, ok=False, why=told.why or "the lie was believed")
    return replace(named, ok=True)


@asynccontextmanager
async def _liar(mode: str, address: str) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(HERE / "hostile.py")),
        *("--mode", mode, "--address", address),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    if process.stdin is None or process.stdout is None:
        raise TypeError("the liar has no pipes")
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        yield json.loads(line)["address"]
    finally:
        process.stdin.close()
        await process.wait()
