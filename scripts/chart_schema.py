"""Puts settings and routes into the chart's schema; with --check, says if it differs.

Written by hand is what the chart's own values are. Generated are the definitions
`settings…` and `routes…` in `$defs`, so that Helm refuses what the sidecar would.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from sidecar.edge.document import RoutesFile  # noqa: E402  after the path
from sidecar.settings import Settings  # noqa: E402  after the path

CHART = ROOT / "deploy" / "helm" / "authz-sidecar"
TARGET = CHART / "values.schema.json"
# A chart can read no file outside of its folder.
COPIES = {
    ROOT / "deploy" / folder / name: CHART / "files" / name
    for folder, name in (("envoy", "envoy.yaml"), ("prometheus", "alerts.yaml"))
}

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"
Tree: TypeAlias = "dict[str, Json]"

# What the chart says itself, since the pod's shape depends on it.
_SET_BY_THE_CHART = (
    ("Settings", "listeners"),
    ("Settings", "metrics"),
    ("Database", "password_file"),
    ("EdgeSettings", "routes_file"),
)
_URLS = ("url", "feed_url", "read_url")


def schema(present: str) -> str:
    """The schema with the generated definitions as they are now."""
    whole: Tree = json.loads(present)
    kept = {
        name: value
        for name, value in _tree(whole["$defs"]).items()
        if name.partition(".")[0] not in {"settings", "routes"}
    }
    generated = {
        **_settings(),
        **_definitions("routes", RoutesFile.__name__, _routes()),
    }
    whole["$defs"] = {**kept, **dict(sorted(generated.items()))}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Generates, or checks and returns 1 when something differs."""
    fresh = {TARGET: schema(TARGET.read_text(encoding="utf-8"))}
    fresh |= {copy: source.read_text("utf-8") for source, copy in COPIES.items()}
    if "--check" not in sys.argv[1:]:
        for path, text in fresh.items():
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [
        path for path, text in fresh.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]  # fmt: skip
    for path in stale:
        sys.stderr.write(f"{path.name} is not as `make gen` makes it\n")
    return int(bool(stale))


def _settings() -> Tree:
    found: Tree = json.loads(json.dumps(Settings.model_json_schema()))
    groups = {"Settings": found, **_groups(found)}
    for group, name in _SET_BY_THE_CHART:
        del _tree(groups[group]["properties"])[name]
    urls = _tree(groups["Database"]["properties"])
    for name in _URLS:
        url: Tree = {"$ref": "#/$defs/databaseUrl"}
        urls[name] = url if name == "url" else {"anyOf": [url, {"type": "null"}]}
    return _definitions("settings", Settings.__name__, found)


def _routes() -> Tree:
    return _tree(json.loads(json.dumps(RoutesFile.model_json_schema())))


def _definitions(prefix: str, root: str, found: Tree) -> Tree:
    """A schema and its own definitions, each with the prefix before its name."""
    groups = _groups(found)
    groups[root] = {name: each for name, each in found.items() if name != "$defs"}
    used = _used(root, groups)
    names = {name: prefix if name == root else f"{prefix}.{name}" for name in used}
    return {names[name]: _renamed(groups[name], names) for name in used}


def _groups(found: Tree) -> dict[str, Tree]:
    return {name: _tree(each) for name, each in _tree(found["$defs"]).items()}


def _tree(value: Json) -> Tree:
    if not isinstance(value, dict):
        raise TypeError("a schema is a mapping")
    return value


def _used(root: str, groups: Mapping[str, Tree]) -> set[str]:
    """The names of what is reached from the root, itself among them."""
    reached, waiting = {"ListenerSettings"} & set(groups), [root]
    waiting += reached
    while waiting:
        text = json.dumps(groups[waiting.pop()])
        found = {name for name in groups if f'"#/$defs/{name}"' in text} - reached
        reached |= found
        waiting += found
    return {root, *reached}


def _renamed(value: Json, names: Mapping[str, str]) -> Json:
    """The same with references to new names, and without titles and defaults."""
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    renamed: Tree = {}
    for name, each in value.items():
        match name, each:
            case "$ref", str():
                own = each.removeprefix("#/$defs/")
                renamed[name] = f"#/$defs/{names.get(own, own)}"
            case "properties", dict():
                # Here the names are those of settings, whatever they are called.
                renamed[name] = {key: _renamed(of, names) for key, of in each.items()}
            case (("default" | "title"), _):
                # Defaults are the sidecar's to know; a title only repeats the name.
                continue
            case _:
                renamed[name] = _renamed(each, names)
    return renamed


if __name__ == "__main__":
    sys.exit(main())
