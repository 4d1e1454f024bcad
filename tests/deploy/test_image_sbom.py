"""The list of what the image has: exactly the lock's packages, the same each time."""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Final, cast

import pytest
from packaging.requirements import Requirement

from scripts import sbom
from sidecar.command.bare_json import Json
from tests.deploy.dockerfile import ROOT

LOCK: Final = sbom.LOCK.read_text(encoding="utf-8")
_PACKAGE: Final = re.compile(
    r"^([a-z0-9-]+)==(\S+)(.*?)(?=^[a-z]|\Z)", re.MULTILINE | re.DOTALL
)


@pytest.fixture(scope="module")
def document() -> Mapping[str, Json]:
    """It, as `make sbom` writes it."""
    return _parsed(sbom.written(LOCK, 0))


def test_it_names_what_the_lock_installs(document: Mapping[str, Json]) -> None:
    """Each package of the lock that Linux gets, in its version, and the stubs."""
    wanted = {
        name: version
        for name, version, more in _PACKAGE.findall(LOCK)
        if "win32" not in more
    }
    client = tomllib.loads((ROOT / "clients/python/pyproject.toml").read_text())

    found = {str(each["name"]): each["version"] for each in _components(document)}
    assert {**wanted, "authz-client": client["project"]["version"]} == found
    assert len(found) == len(_components(document))


def test_it_has_every_hash(document: Mapping[str, Json]) -> None:
    """The hashes of a package are those with which the lock lets it be installed."""
    wanted = {
        name: set(re.findall("sha256:([0-9a-f]{64})", more))
        for name, _, more in _PACKAGE.findall(LOCK)
        if "win32" not in more
    }

    assert wanted == {
        str(each["name"]): _hashes(each)
        for each in _components(document)
        if each["name"] != "authz-client"
    }


def test_each_has_a_licence(document: Mapping[str, Json]) -> None:
    """Nothing is in the image whose licence is not told, each by its SPDX name."""
    unknown = [
        each["name"]
        for each in _components(document)
        if '"name"' in json.dumps(each.get("licenses", '"name"'))
    ]

    assert [] == unknown


def test_the_sidecar_needs_what_it_says(document: Mapping[str, Json]) -> None:
    """Who needs whom begins with the project's own dependencies."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {Requirement(each).name for each in project["dependencies"]}
    graph = cast("list[dict[str, Json]]", document["dependencies"])
    (needed,) = [
        cast("list[str]", each["dependsOn"])
        for each in graph
        if str(each["ref"]).startswith("pkg:generic/authz-sidecar@")
    ]

    found = {each.rpartition("/")[2].partition("@")[0] for each in needed}
    assert names == found


def test_all_is_needed_by_something(document: Mapping[str, Json]) -> None:
    """From the sidecar one gets to every package, so that none is there for nothing."""
    graph = {
        str(each["ref"]): cast("list[str]", each.get("dependsOn", []))
        for each in cast("list[dict[str, Json]]", document["dependencies"])
    }
    reached: set[str] = set()
    ways = [each for each in graph if each.startswith("pkg:generic/authz-sidecar@")]
    while ways:
        place = ways.pop()
        ways += [each for each in graph[place] if each not in reached]
        reached.add(place)

    assert set(graph) == reached


def test_it_is_the_same_each_time() -> None:
    """The same lock gives the same bytes, but for the time that one gives."""
    first, again = sbom.written(LOCK, 0), sbom.written(LOCK, 0)
    later = sbom.written(LOCK, 86_400)

    assert first == again
    assert first.replace("1970-01-01", "1970-01-02") == later


def test_another_version_is_refused() -> None:
    """Licences of another version than the locked one would be told as its own."""
    other = re.sub(r"^uvloop==\S+", "uvloop==0.0.1", LOCK, flags=re.MULTILINE)

    with pytest.raises(ValueError, match=r"`uvloop` is locked as `0.0.1`"):
        sbom.written(other, 0)


def test_a_lock_that_lacks_something_is_refused() -> None:
    """What is needed and not locked would run in the image and not be told."""
    less = re.sub(r"(?ms)^mdurl==.*?(?=^[a-z])", "", LOCK)

    with pytest.raises(ValueError, match="`markdown-it-py` needs `mdurl`"):
        sbom.written(less, 0)


def test_it_leads_to_no_index(document: Mapping[str, Json]) -> None:
    """It names packages, not places that they are had from."""
    addresses = re.findall(r'https?://[^"]+', json.dumps(document))

    assert [document["$schema"]] == addresses


def _parsed(text: str) -> dict[str, Json]:
    return cast("dict[str, Json]", json.loads(text))


def _components(document: Mapping[str, Json]) -> list[dict[str, Json]]:
    return cast("list[dict[str, Json]]", document["components"])


def _hashes(component: Mapping[str, Json]) -> set[str]:
    (reference,) = cast("list[dict[str, Json]]", component["externalReferences"])
    hashes = cast("list[dict[str, str]]", reference["hashes"])
    assert {"SHA-256"} == {each["alg"] for each in hashes}
    return {each["content"] for each in hashes}
