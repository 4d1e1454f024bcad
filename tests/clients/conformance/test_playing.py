"""What is made of what a runner says; the runners are programs of one line."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from clients.conformance import believing, languages, playing
from clients.conformance.languages import Language
from clients.conformance.playing import Told, Way, play

WAY = Way("nowhere", ("--address", "unix:/nowhere"))
VECTORS = [{"group": "g", "id": "a"}, {"group": "h", "id": "b"}]


def _language(script: str) -> Language:
    runner = (sys.executable, "-c", script)
    return Language("parrot", Path.cwd(), (), (), (), runner, 0)


def _saying(*rows: dict[str, object]) -> Language:
    return _language("\n".join(f"print({json.dumps(row)!r})" for row in rows))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two vectors."""
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps({"world": "", "vectors": VECTORS}))
    return path


async def test_each_vector_is_told(file: Path) -> None:
    """Met, not met with the reason, in the order of the file."""
    runner = _saying({"id": "b", "ok": False, "told": "no"}, {"id": "a", "ok": True})

    actual = await play(runner, WAY, file)

    assert [Told("g", "a", ok=True), Told("h", "b", ok=False, why="no")] == actual


async def test_a_skipped_vector_is_neither_met_nor_not(file: Path) -> None:
    """It says why."""
    runner = _saying({"id": "a", "skipped": "cannot"}, {"id": "b", "ok": True})

    actual = await play(runner, WAY, file)

    assert [Told("g", "a", ok=None, why="cannot"), Told("h", "b", ok=True)] == actual


@pytest.mark.parametrize("ok", ["true", 1, None, [True]])
async def test_only_true_is_met(file: Path, ok: object) -> None:
    """No other value is taken for it."""
    runner = _saying({"id": "a", "ok": ok}, {"id": "b", "ok": ok})

    actual = await play(runner, WAY, file)

    assert [False, False] == [each.ok for each in actual]


async def test_what_is_not_told_is_not_met(file: Path) -> None:
    """A runner that ends well and says nothing of a vector has not met it."""
    actual = await play(_saying({"id": "a", "ok": True}), WAY, file)

    assert Told("h", "b", ok=False, why="the runner told nothing") == actual[1]


async def test_a_runner_that_fails_meets_nothing(file: Path) -> None:
    """Not even what it told before; its last word is the reason."""
    script = 'import sys; print(\'{"id": "a", "ok": true}\'); sys.exit(\'boom\')'

    actual = await play(_language(script), WAY, file)

    why = "the runner ended with 1: boom"
    assert [
        Told("g", "a", ok=False, why=why),
        Told("h", "b", ok=False, why=why),
    ] == actual


async def test_a_runner_that_hangs_is_ended(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given some time, and then meets nothing."""
    monkeypatch.setattr(playing, "SECONDS", 0.2)

    actual = await play(_language("import time; time.sleep(60)"), WAY, file)

    assert {"the runner hangs"} == {each.why for each in actual}


async def test_a_client_that_believes_lies_is_found(tmp_path: Path) -> None:
    """A runner to which every answer is right passes with the honest server only."""
    names = ["CheckVisible", "CheckRole", "Authorize", "GetPermissions"]
    names += ["CheckWritable", "CheckCreatable", "GetListFilter"]
    rows = [{"id": f"lies/{each}", "ok": True} for each in names]

    found = await believing.believe([_saying(*rows)], tmp_path)

    told = found["parrot"]
    honest = [each.ok for each in told if each.vector.endswith(" honest")]
    others = [each.ok for each in told if not each.vector.endswith(" honest")]
    assert {True} == set(honest)
    assert {False} == set(others)


async def test_a_runner_that_breaks_proves_nothing(tmp_path: Path) -> None:
    """A runner that ends with an error has not seen through a lie."""
    found = await believing.believe([_language("raise SystemExit(1)")], tmp_path)

    assert {False} == {each.ok for each in found["parrot"]}


def test_languages_are_five_and_more() -> None:
    """The file names each language once, and Python twice: for asyncio too."""
    names = [each.name for each in languages.languages()]

    assert ["python", "python-asyncio"] == names[:2]
    assert {"go"} <= set(names)


def test_a_language_without_its_tools_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is left out with a line; in CI that is not complete."""
    lacking = replace(_language(""), tools=("no-such-tool",))
    monkeypatch.setattr(languages, "languages", lambda: [lacking])

    there, lines = languages.present([])

    assert [] == there
    assert ["skipped parrot: `no-such-tool` is not on the PATH"] == lines
    monkeypatch.setenv("CI", "true")
    assert not languages.is_complete(lines)
    monkeypatch.delenv("CI")
    assert languages.is_complete(lines)
