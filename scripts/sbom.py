"""Writes what Python packages the image has, as CycloneDX.

The packages are those of requirements/runtime.lock that the image installs, and the
project's own two. Licences and who needs whom come from the packages that are installed
here, so these must be of the locked versions. The same lock gives the same bytes.
"""

import importlib.metadata
import os
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import (
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    XsUri,
)
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[1]
LOCK: Final = ROOT / "requirements" / "runtime.lock"
TARGET: Final = ROOT / "build" / "authz-sidecar.cdx.json"
# The project's own packages, with where each says its version; the first is described.
OWN: Final = {
    "authz-sidecar": ROOT / "pyproject.toml",
    "authz-client": ROOT / "clients" / "python" / "pyproject.toml",
}
# The image's Python, as far as it decides which packages of the lock are installed.
_IMAGE: Final = {
    "extra": "",
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.13.5",
    "python_version": "3.13",
    "sys_platform": "linux",
}
# What classifiers call licences, of packages that have no expression.
_LICENCES: Final = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
}


@dataclass(frozen=True)
class Locked:
    """One package of the lock; `hashes` are of all archives that would do."""

    name: str
    version: str
    hashes: tuple[str, ...]


class _Project(NamedTuple):
    version: str
    description: str
    license: str
    dependencies: list[str]


def locked(lock: str) -> list[Locked]:
    """The packages of a lock that the image installs."""
    found = []
    for line in lock.replace("\\\n", " ").splitlines():
        pinned, *hashes = line.split("--hash=sha256:")
        if not pinned.strip():
            continue
        requirement = Requirement(pinned)
        if requirement.marker is None or requirement.marker.evaluate(_IMAGE):
            version = str(requirement.specifier).removeprefix("==")
            archives = tuple(each.strip() for each in hashes)
            found.append(Locked(requirement.name, version, archives))
    return found


def written(lock: str, epoch: int) -> str:
    """The whole document of a lock, with a time in seconds since 1970.

    Raises:
        ValueError: a package is installed here in another version, needs one that is
            not locked, or has no licence.
    """
    packages = locked(lock)
    components = {each.name: _library(each) for each in packages}
    own = {name: _own(name) for name in OWN}
    described = own.pop("authz-sidecar")
    described.type = ComponentType.APPLICATION
    components |= own
    bom = Bom(components=components.values(), metadata=BomMetaData(component=described))
    for each in (described, *components.values()):
        needed = sorted(_needed(each.name))
        if missing := [name for name in needed if name not in components]:
            raise ValueError(f"`{each.name}` needs `{missing[0]}`, which is not locked")
        bom.register_dependency(each, [components[name] for name in needed])
    # What says when and which is either told by the build or follows from the content.
    bom.serial_number = uuid5(NAMESPACE_URL, repr((described.purl, packages)))
    bom.metadata.timestamp = datetime.fromtimestamp(epoch, UTC)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def main() -> None:
    """Writes the document to the path that is named, or into `build`."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    try:
        lock = LOCK.read_text(encoding="utf-8")
        text = written(lock, int(os.environ.get("SOURCE_DATE_EPOCH", "0")))
    except ValueError as error:
        raise SystemExit(f"error: {error}") from error
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


def _library(package: Locked) -> Component:
    if (here := _installed(package.name)) != package.version:
        raise ValueError(
            f"`{package.name}` is locked as `{package.version}`, installed as `{here}`"
        )
    url = PackageURL("pypi", name=package.name, version=package.version)
    # Which of these archives it is depends on the machine; none is the package's own.
    archives = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(str(url)),
        hashes=[
            HashType(alg=HashAlgorithm.SHA_256, content=each) for each in package.hashes
        ],
    )
    return Component(
        name=package.name,
        version=package.version,
        bom_ref=str(url),
        purl=url,
        licenses=list(_licences(package.name)),
        external_references=[archives],
    )


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "nothing"


def _own(name: str) -> Component:
    project = _project(name)
    # Not of a package index, so that nobody looks there for it.
    url = PackageURL("generic", name=name, version=project.version)
    return Component(
        name=name,
        version=project.version,
        description=project.description,
        bom_ref=str(url),
        purl=url,
        licenses=[LicenseFactory().make_from_string(project.license)],
    )


def _licences(name: str) -> Iterator[License]:
    told = importlib.metadata.metadata(name)
    (expression,) = told.get_all("License-Expression", [""])
    if not expression:
        named = [each.rpartition(" :: ")[2] for each in told.get_all("Classifier", [])]
        known = {_LICENCES[each] for each in named if each in _LICENCES}
        (alone,) = told.get_all("License", [""])
        expression = " OR ".join(sorted(known)) or _LICENCES.get(alone, alone)
    if not expression:
        raise ValueError(f"`{name}` does not say under which licence it is")
    yield LicenseFactory().make_from_string(expression)


def _needed(name: str) -> set[str]:
    # What is installed of the project's own may be older than what it says here.
    told = (
        _project(name).dependencies
        if name in OWN
        else importlib.metadata.requires(name) or []
    )
    return {
        canonicalize_name(each.name)
        for each in map(Requirement, told)
        if each.marker is None or each.marker.evaluate(_IMAGE)
    }


def _project(name: str) -> _Project:
    told = tomllib.loads(OWN[name].read_text(encoding="utf-8"))["project"]
    return _Project(*(told[each] for each in _Project._fields))


if __name__ == "__main__":
    main()
