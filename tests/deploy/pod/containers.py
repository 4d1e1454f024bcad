"""Containers as processes of this machine, with the users and mounts they name."""

import asyncio
import json
import os
import re
import signal
import sys
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, cast

from tests.deploy.pod.enter import What
from tests.deploy.pod.manifests import Object, mapping, objects, words
from tests.deploy.pod.volumes import Volumes

ROOT: Final = Path(__file__).parents[3]
_ENTER: Final = Path(__file__).with_name("enter.py")
_PREFIX: Final = Path(sys.prefix).resolve()
# Where the sidecar's image has what this machine has at its prefix.
_INSTALLED: Final = "/opt/authz"
_SOURCE: Final = "/opt/source"
_ENVOY: Final = Path(sysconfig.get_path("purelib")).resolve() / "envoy" / "_bin"
_SYSTEM: Final = ("usr", "bin", "sbin", "lib", "lib64")
_DEVICES: Final = ("null", "zero", "random", "urandom")
_VARIABLE: Final = re.compile(r"\$\((\w+)\)")


@dataclass(frozen=True)
class Image:
    """What this machine has in place of an image."""

    entry: tuple[str, ...]
    environment: Mapping[str, str]


def image_of(reference: str) -> Image:
    """The image of a container, by its reference."""
    name = reference.partition("@")[0].rpartition("/")[2].partition(":")[0]
    if name == "envoy":
        return Image(("envoy",), {"PATH": f"{_ENVOY}:/usr/bin:/bin"})
    assert name == "authz-sidecar", reference
    return Image(
        (f"{_INSTALLED}/bin/authz-sidecar",),
        {
            "PATH": "/usr/bin:/bin",
            # As if it were installed in there, from this very tree.
            "PYTHONPATH": f"{_SOURCE}:{_SOURCE}/clients/python",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )


@dataclass(frozen=True)
class Surroundings:
    """What the containers of a pod share; `folder` has their `hosts`."""

    folder: Path
    pod: Object
    volumes: Volumes
    network: int

    def __post_init__(self) -> None:
        # Names are found as by a cluster's DNS, which is not here.
        (self.folder / "nsswitch.conf").write_text("hosts: files\n")


@dataclass
class Container:
    """A container between its start and its end."""

    name: str
    spec: Object
    surroundings: Surroundings
    log: Path
    _what: What
    _process: asyncio.subprocess.Process | None = field(default=None)

    @classmethod
    def of(cls, spec: Object, surroundings: Surroundings) -> Self:
        """A container that is not started yet."""
        name = str(spec["name"])
        log = surroundings.folder / f"{name}.log"
        what = _what(spec, surroundings)
        return cls(name, spec, surroundings, log, what)

    async def start(self) -> None:
        """Starts it, again if it has ended."""
        assert not self.is_running
        self._process = await _entered(self._what, self.log)

    @property
    def is_running(self) -> bool:
        """Whether its first process is there."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """Its first process, as the machine counts."""
        assert self._process is not None
        own = self._process.pid
        return int(Path(f"/proc/{own}/task/{own}/children").read_text().split()[0])

    def status(self) -> dict[str, str]:
        """What the kernel says of its first process: `Uid`, `CapBnd` and so on."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return dict(line.split(":\t", 1) for line in lines if ":\t" in line)

    async def ended(self) -> int:
        """Waits for its end; how that was, as shells say it."""
        assert self._process is not None
        return await self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Sends its first process a signal, as from outside of the pod."""
        os.kill(self.pid, number)

    async def kill(self) -> None:
        """Ends it whatever it does."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def run(
        self, command: Sequence[str], user: int | None = None
    ) -> tuple[int, str]:
        """Runs a program in it, as kubelets do for `exec`; its code and what it said.

        `user`: somebody else, who is in none of the pod's groups.
        """
        what = self._what.copy()
        what["inside"] = self.pid
        what["command"] = list(command)
        if user is not None:
            what.update({"user": user, "group": user, "groups": []})
        with tempfile.TemporaryFile("w+") as said:
            process = await _spawned(what, said.fileno())
            try:
                code = await process.wait()
            finally:
                if process.returncode is None:
                    process.kill()
            said.seek(0)
            return code, said.read()


async def _entered(what: What, log: Path) -> asyncio.subprocess.Process:
    with log.open("ab") as file:
        return await _spawned(what, file.fileno())


async def _spawned(what: What, output: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(_ENTER), json.dumps(what)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=[what["network"]],
    )


def _what(spec: Object, around: Surroundings) -> What:
    image = image_of(str(spec["image"]))
    of_pod = mapping(around.pod, "securityContext")
    security = {**of_pod, **mapping(spec, "securityContext")}
    user = cast("int", security["runAsUser"])
    assert user != 0 or not security.get("runAsNonRoot")
    groups = cast("list[int]", of_pod.get("supplementalGroups", []))
    if "fsGroup" in of_pod:
        groups = [*groups, cast("int", of_pod["fsGroup"])]
    environment = dict(image.environment)
    for each in objects(spec, "env"):
        environment[str(each["name"])] = _expanded(str(each["value"]), environment)
    command = words(spec, "command") or list(image.entry)
    root = around.folder / f"{spec['name']}.root"
    root.mkdir(exist_ok=True)
    dropped = words(mapping(security, "capabilities"), "drop")
    return What(
        network=around.network,
        inside=0,
        root=str(root),
        # What is of this machine may lie where the pod has a volume, such as /tmp.
        binds=[*_mounted(spec, around), *_of_machine()],
        links={
            name: str(Path(f"/{name}").readlink())
            for name in _SYSTEM
            if Path(f"/{name}").is_symlink()
        },
        has_read_only_root=bool(security.get("readOnlyRootFilesystem")),
        may_gain_privileges=security.get("allowPrivilegeEscalation") is not False,
        drops_capabilities="ALL" in dropped,
        user=user,
        group=cast("int", security.get("runAsGroup", user)),
        groups=groups,
        folder=str(spec.get("workingDir", "/")),
        command=[
            _expanded(each, environment) for each in [*command, *words(spec, "args")]
        ],
        environment=environment,
    )


def _of_machine() -> list[tuple[str, str, bool]]:
    places = [f"/{name}" for name in _SYSTEM if not Path(f"/{name}").is_symlink()]
    places += [str(_PREFIX), sys.base_prefix]
    devices = [f"/dev/{name}" for name in _DEVICES]
    return [
        *((each, each, True) for each in places if Path(each).exists()),
        *((each, each, False) for each in devices),
        (str(_PREFIX), _INSTALLED, True),
        (str(ROOT), _SOURCE, True),
    ]


def _mounted(spec: Object, around: Surroundings) -> list[tuple[str, str, bool]]:
    mounted = [
        (
            str(around.volumes.path(each)),
            str(each["mountPath"]),
            each.get("readOnly") is True,
        )
        for each in objects(spec, "volumeMounts")
    ]
    names = ("hosts", "nsswitch.conf")
    mounted += [(str(around.folder / each), f"/etc/{each}", True) for each in names]
    return mounted


def _expanded(text: str, environment: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: environment.get(found[1], found[0]), text)
