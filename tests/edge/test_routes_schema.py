"""The JSON Schema for editors: it takes good files, and marks what is misshapen."""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import jsonschema
import pytest
import yaml

from sidecar.edge.compiling import RoutesError, compile_routes
from tests.edge.lab import FUZZ_ROUTES
from tests.support.edge import ROOT, ROUTES

EXAMPLE: Final = ROOT / "examples" / "routes.yaml"
_SCHEMA: Final = json.loads(
    (ROOT / "docs" / "routes.schema.json").read_text(encoding="utf-8")
)
_VALIDATOR: Final = jsonschema.Draft202012Validator(
    _SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)


def _is_valid(text: str) -> bool:
    """Whether an editor marks nothing."""
    return _VALIDATOR.is_valid(_as_json(yaml.safe_load(text)))


def _as_json(value: object) -> object:
    # To editors a day is a text like others.
    if isinstance(value, dict):
        return {name: _as_json(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def test_is_what_the_code_says() -> None:
    """The file in the repository is generated from the code as it is."""
    script = ROOT / "scripts" / "routes_schema.py"
    done = subprocess.run([sys.executable, script, "--check"], check=False)  # noqa: S603  our own

    assert 0 == done.returncode


def test_is_a_schema_without_an_address() -> None:
    """It is a JSON Schema, and fetched from nowhere."""
    jsonschema.Draft202012Validator.check_schema(_SCHEMA)

    assert "title" in _SCHEMA
    assert "$id" not in _SCHEMA


@pytest.mark.parametrize("path", [EXAMPLE, ROUTES, FUZZ_ROUTES])
def test_good_files_are_valid(path: Path) -> None:
    """The routes of the example and of the tests are valid."""
    assert _is_valid(path.read_text(encoding="utf-8"))


def _file(route: str, rest: str = "") -> str:
    return f"rule_sets:\n  api:\n    routes:\n      - {{{route}}}\n{rest}"


_GOOD: Final = 'path: "/a/{x}", methods: [GET], '
_FORMED: Final = [
    _file(_GOOD + "public: true"),
    _file(_GOOD + "public: optional"),
    _file(_GOOD + "require: []"),
    _file(_GOOD + "require: [{permission: {context: UI}}]"),
    _file(_GOOD + "require: [{permission: {context: UI, operation: view}}]"),
    _file(
        _GOOD
        + "require: [{permission: {context: DATA, operation: read, at_least: my}}]"
    ),
    _file(_GOOD + "public: true", "    shadow: {until: 2999-12-31}"),
]
_MISSHAPEN: Final = [
    "[]",
    "{}",
    "rule_sets: {}",
    "rule_sets: {api: {}}",
    "rule_sets: {api: {routes: []}}",
    "rule_sets: {'a b': {routes: [{path: /, methods: [GET], public: true}]}}",
    _file(_GOOD + "public: true") + "colour: red",
    _file(_GOOD + "public: true, colour: red"),
    _file(_GOOD + "public: false"),
    _file(_GOOD + "public: true, require: []"),
    _file(_GOOD.removesuffix(", ")),
    _file("methods: [GET], public: true"),
    _file("path: /, methods: [], public: true"),
    _file("path: /, methods: [get], public: true"),
    _file("path: /, methods: [HEAD], public: true"),
    _file("path: /, methods: GET, public: true"),
    _file(_GOOD + "public: true, values: {x: []}"),
    _file(_GOOD + "public: true, stream_lifetime_seconds: 0"),
    _file(_GOOD + "require: [{}]"),
    _file(_GOOD + "require: [{role: root}]"),
    _file(_GOOD + "require: [{role: {}}]"),
    _file(_GOOD + "require: [{role: {any_of: []}}]"),
    _file(_GOOD + "require: [{role: {any_of: [owner]}}]"),
    _file(_GOOD + "require: [{role: {platform_admin: false}}]"),
    _file(_GOOD + "require: [{role: {any_of: [user]}, creatable: {kind: model}}]"),
    _file(_GOOD + "require: [{visible: {kind: cluster}}]"),
    _file(_GOOD + "require: [{visible: {kind: cluster, id: 7}}]"),
    _file(_GOOD + "require: [{permission: {context: NONE}}]"),
    _file(_GOOD + "require: [{permission: {context: UI, at_least: my}}]"),
    _file(_GOOD + "require: [{permission: {context: DATA, operation: read}}]"),
    _file(
        _GOOD + "require: [{permission: {context: UI, operation: read, at_least: my}}]"
    ),
    _file(_GOOD + "public: true", "    shadow: {}"),
    _file(_GOOD + "public: true", "    shadow: {until: soon}"),
    _file(_GOOD + "public: true", "    cors: {origins: ['*']}"),
]


@pytest.mark.parametrize("text", _FORMED)
def test_each_way_to_write_a_route_is_valid(text: str) -> None:
    """What the sidecar takes, the editor does not mark."""
    compile_routes(text, {})

    assert _is_valid(text)


@pytest.mark.parametrize("text", _MISSHAPEN)
def test_what_is_misshapen_is_marked(text: str) -> None:
    """What the sidecar refuses for its shape, the editor marks as well."""
    with pytest.raises(RoutesError):
        compile_routes(text, {})

    assert not _is_valid(text)
