"""A pod between its start and its end, in the order that its manifest gives."""

import asyncio
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from sidecar.command.bare_json import Json
from tests.deploy.pod.containers import Container, Surroundings
from tests.deploy.pod.manifests import (
    Manifests,
    Object,
    mapping,
    number,
    objects,
    termination_seconds,
    words,
)
from tests.deploy.pod.network import Network
from tests.deploy.pod.probes import Prober
from tests.deploy.pod.volumes import Volumes

_KILLED: Final = 256 - signal.SIGKILL


@dataclass
class Pod:
    """Containers of one pod, with what a kubelet sees of them."""

    address: str
    network: Network
    volumes: Volumes
    sidecars: list[Container]
    containers: list[Container]
    seconds_to_end: float
    prober: Prober
    tell: Callable[["Pod", bool], None]
    # What happened in which order: "started authz-sidecar", "ready", …
    happened: list[str] = field(default_factory=list)
    _unready: set[str] = field(default_factory=set)
    _watching: list[asyncio.Task[None]] = field(default_factory=list)

    @classmethod
    def made(  # noqa: PLR0913, PLR0917  all that a pod is made of
        cls,
        folder: Path,
        manifests: Manifests,
        pod: Object,
        network: Network,
        address: str,
        hosts: Mapping[str, str],
        tell: Callable[["Pod", bool], None],
    ) -> Self:
        """A pod that is not started yet.

        Args:
            folder: Where its volumes and logs go; short, since sockets are in there.
            manifests: What its volumes are made of.
            pod: Its spec.
            network: Its namespace.
            address: Its own address there.
            hosts: The addresses of others, by their names.
            tell: Told whenever it becomes ready, or is no longer.
        """
        lines = [f"{address} {name}" for name, address in hosts.items()]
        (folder / "hosts").write_text("\n".join(["127.0.0.1 localhost", *lines, ""]))
        disks = folder / "v"
        disks.mkdir()
        volumes = Volumes(disks, manifests, pod)
        around = Surroundings(folder, pod, volumes, network.namespace)
        initial = objects(pod, "initContainers")
        assert all(each.get("restartPolicy") == "Always" for each in initial)
        return cls(
            address,
            network,
            volumes,
            [Container.of(each, around) for each in initial],
            [Container.of(each, around) for each in objects(pod, "containers")],
            termination_seconds(pod),
            Prober(network, address, folder),
            tell,
        )

    def container(self, name: str) -> Container:
        """One of its containers."""
        return next(each for each in self._all if each.name == name)

    async def start(self) -> None:
        """Starts its containers, each when it may, and returns when it is ready."""
        for each in self.sidecars:
            await self._start(each)
            await self._pass(each, "startupProbe")
        for each in self.containers:
            await self._start(each)
        for name in ("startupProbe", "readinessProbe"):
            await asyncio.gather(*(self._pass(each, name) for each in self._all))
        self._happen("ready")
        self.tell(self, True)  # noqa: FBT003  the one thing that is told
        self.watch()

    async def replace(self, sidecar: Container, successor: Container) -> int:
        """Starts a successor beside a sidecar, and ends that; with what code it ended.

        Probes are not watched from then on: they ask at the port of the old one.
        """
        await self.unwatch()
        await self._start(successor)
        await self._pass(successor, "startupProbe")
        sidecar.send(signal.SIGTERM)
        code = await sidecar.ended()
        self.prober.started.remove(sidecar)
        self.sidecars[self.sidecars.index(sidecar)] = successor
        return code

    def watch(self) -> None:
        """Begins to ask its probes for as long as it lives."""
        for each in self._all:
            self._watch(each)

    async def unwatch(self) -> None:
        """Asks them no more."""
        for each in self._watching:
            each.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        self._watching.clear()

    async def completed(self) -> dict[str, int]:
        """Runs its containers to their end, as those of a Job; with what codes."""
        for each in self.containers:
            await self._start(each)
        codes = {each.name: await each.ended() for each in self.containers}
        await self.kill()
        return codes

    async def stop(self) -> dict[str, int]:
        """Ends it as when it is deleted; with what code each container ended."""
        self.tell(self, False)  # noqa: FBT003  likewise
        await self.unwatch()
        codes: dict[str, int] = {}
        try:
            async with asyncio.timeout(self.seconds_to_end):
                ending = [self._end(each, codes) for each in self.containers]
                await asyncio.gather(*ending)
                for each in reversed(self.sidecars):
                    await self._end(each, codes)
        except TimeoutError:
            for each in self._all:
                if each.name not in codes:
                    codes[each.name] = _KILLED
                    self._happen(f"killed {each.name}")
        await self.kill()
        return codes

    async def kill(self) -> None:
        """Ends everything at once."""
        await self.unwatch()
        for each in self._all:
            await each.kill()

    @property
    def _all(self) -> list[Container]:
        return [*self.sidecars, *self.containers]

    async def _start(self, container: Container) -> None:
        await container.start()
        self.prober.started.append(container)
        self._happen(f"started {container.name}")

    async def _pass(self, container: Container, name: str) -> None:
        probe = mapping(container.spec, name)
        if probe:
            await self.prober.until_passed(container, probe)
            self._happen(f"{name} {container.name}")

    async def _end(self, container: Container, codes: dict[str, int]) -> None:
        await self._pre_stop(container, mapping(container.spec, "lifecycle", "preStop"))
        container.send(signal.SIGTERM)
        codes[container.name] = await container.ended()
        self._happen(f"ended {container.name}")

    async def _pre_stop(self, container: Container, hook: Mapping[str, Json]) -> None:
        if "exec" in hook:
            code, said = await container.run(words(mapping(hook, "exec"), "command"))
            self._happen(f"preStop {container.name} {code}{said}")
        if "sleep" in hook:
            # What the manifest says, and so what a kubelet does.
            await asyncio.sleep(number(mapping(hook, "sleep"), "seconds", 0))

    def _watch(self, container: Container) -> None:
        def ready(passes: bool) -> None:  # noqa: FBT001  told by the prober
            (self._unready.discard if passes else self._unready.add)(container.name)
            self._happen(f"{'ready' if passes else 'unready'} {container.name}")
            self.tell(self, not self._unready)

        def alive(passes: bool) -> None:  # noqa: FBT001  likewise
            self._happen(f"{'alive' if passes else 'dead'} {container.name}")

        for name, tell in (("readinessProbe", ready), ("livenessProbe", alive)):
            probe = mapping(container.spec, name)
            if probe:
                changes = self.prober.changes(container, probe, tell)
                self._watching.append(asyncio.create_task(changes))

    def _happen(self, what: str) -> None:
        self.happened.append(what)
