"""Rendered manifests, as far as a pod is made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, TypeAlias, cast

import yaml

from sidecar.command.bare_json import Json

Object: TypeAlias = dict[str, Json]
_MINIMUM_TERMINATION_SECONDS: Final = 30


@dataclass
class Manifests:
    """What is in a file of manifests, and what was given beside it."""

    objects: list[Object]
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, *paths: Path) -> Self:
        """The objects of files."""
        objects = [
            cast("Object", each)
            for path in paths
            for each in yaml.safe_load_all(path.read_text(encoding="utf-8"))
            if each is not None
        ]
        return cls(objects)

    def the(self, kind: str, name: str = "") -> Object:
        """The one object of a kind, or the one of these that has the name."""
        found = [
            each
            for each in self.objects
            if each["kind"] == kind and name in ("", mapping(each, "metadata")["name"])
        ]
        assert 1 == len(found), f"{len(found)} of {kind} {name}"
        return found[0]

    def pod(self, kind: str) -> Object:
        """The pod that the one object of this kind makes."""
        return mapping(self.the(kind), "spec", "template", "spec")

    def config_map(self, name: str) -> dict[str, str]:
        """The files of a ConfigMap."""
        return cast("dict[str, str]", mapping(self.the("ConfigMap", name), "data"))

    def config_maps(self) -> list[dict[str, str]]:
        """The files of all of them."""
        return [
            cast("dict[str, str]", mapping(each, "data"))
            for each in self.objects
            if each["kind"] == "ConfigMap"
        ]

    def secret(self, name: str) -> dict[str, str]:
        """The files of a Secret; those that others look after are in `secrets`."""
        return self.secrets[name]

    def service_ports(self) -> dict[int, int]:
        """Where the ports of the one Service lead to in its pods."""
        spec = mapping(self.the("Service"), "spec")
        return {
            cast("int", each["port"]): cast("int", each["targetPort"])
            for each in objects(spec, "ports")
        }


def mapping(parent: Mapping[str, Json], *names: str) -> Object:
    """The object at a path, empty where there is none."""
    found: Json = cast("Object", parent)
    for name in names:
        found = cast("Object", found).get(name) or {}
    return cast("Object", found)


def objects(parent: Mapping[str, Json], name: str) -> list[Object]:
    """The objects of a list, empty where there is none."""
    return cast("list[Object]", parent.get(name) or [])


def number(parent: Mapping[str, Json], name: str, default: float) -> float:
    """A number, or its default."""
    return cast("float", parent.get(name, default))


def words(parent: Mapping[str, Json], name: str) -> list[str]:
    """A list of texts, empty where there is none."""
    return [str(each) for each in cast("list[Json]", parent.get(name) or [])]


def termination_seconds(pod: Mapping[str, Json]) -> float:
    """How long the pod may take to end."""
    name = "terminationGracePeriodSeconds"
    return number(pod, name, _MINIMUM_TERMINATION_SECONDS)
