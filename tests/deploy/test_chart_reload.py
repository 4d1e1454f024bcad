"""Routes in a mounted ConfigMap, changed as the kubelet changes it."""

import asyncio
import shutil
from pathlib import Path
from typing import Final

import pytest

from sidecar.edge.reloading import Routes
from sidecar.edge.routes import Access

OPEN: Final = "{path: /a, methods: [GET], public: true}"
CLOSED: Final = "{path: /a, methods: [GET], require: []}"
BROKEN: Final = "{path: /a, methods: [GET]}"


class Mount:
    """A directory in which files are links to `..data`, a link to one version."""

    def __init__(self, folder: Path) -> None:
        """`folder`: is there, and empty."""
        self._folder = folder
        self._versions = 0

    @property
    def file(self) -> Path:
        """The path that the sidecar is given."""
        return self._folder / "routes.yaml"

    def put(self, route: str) -> None:
        """Brings a new version: a folder, one rename, and the old folder goes."""
        self._versions += 1
        version = self._folder / f"..2026_11_23_{self._versions}"
        version.mkdir()
        text = f"default: api\nrule_sets: {{api: {{routes: [{route}]}}}}\n"
        (version / "routes.yaml").write_text(text, encoding="utf-8")
        data = self._folder / "..data"
        before = data.resolve() if data.is_symlink() else None
        spare = self._folder / "..data_tmp"
        spare.symlink_to(version.name)
        spare.rename(data)
        if before is None:
            self.file.symlink_to("..data/routes.yaml")
        else:
            shutil.rmtree(before)


class Following:
    """Routes that are followed, and how often they have been looked at."""

    def __init__(self, path: Path) -> None:
        self.routes = Routes.read(path, {})
        self._looked = asyncio.Event()

    async def follow(self) -> None:
        """Looks all the time."""
        await self.routes.watch(0.001, self._looked.set)

    async def another_look(self) -> None:
        """Waits for two looks: the first may have begun before."""
        for _ in range(2):
            self._looked.clear()
            async with asyncio.timeout(10):
                await self._looked.wait()

    @property
    def is_open(self) -> bool:
        """Whether the one route is open to all."""
        rules = self.routes.current().choose(None)
        match = None if rules is None else rules.table.find("GET", ["a"])
        return match is not None and match.route.access is Access.PUBLIC


@pytest.fixture
def mount(tmp_path: Path) -> Mount:
    """A mount with the open route."""
    mounted = Mount(tmp_path)
    mounted.put(OPEN)
    return mounted


async def test_a_swapped_configmap_is_taken_over(mount: Mount) -> None:
    """Though the path stays, and the folder behind it is another each time."""
    following = Following(mount.file)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(following.follow())
        found = [following.is_open]
        for route in (CLOSED, OPEN, CLOSED):
            mount.put(route)
            await following.another_look()
            found.append(following.is_open)
        task.cancel()

    assert [True, False, True, False] == found
    assert 3 == following.routes.reloads


async def test_a_broken_configmap_changes_nothing(mount: Mount) -> None:
    """What held goes on holding, is said to be broken, and is mended by the next."""
    following = Following(mount.file)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(following.follow())
        mount.put(BROKEN)
        await following.another_look()
        broken = (following.is_open, following.routes.problem is None)
        mount.put(CLOSED)
        await following.another_look()
        task.cancel()

    assert (True, False) == broken
    assert not following.is_open
    assert following.routes.problem is None
