"""The image, built and run as its Dockerfile says, where no container engine runs.

Not of the suite, since it installs every package anew: `make image-check` runs it.
"""

import asyncio
import importlib.metadata
import json
import os
import signal
import stat
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest
from packaging.utils import canonicalize_name

from scripts import sbom
from tests.deploy import image_build
from tests.deploy.dockerfile import ROOT, stages
from tests.deploy.image_run import Run
from tests.support import serving

FINAL: Final = stages()[1]
SOCKETS: Final = FINAL.last("WORKDIR").rest
PROBE: Final = FINAL.probe or ()
SECONDS: Final = 60
_UNCHECKED: Final = b"\x01\x00\x00\x00"

pytestmark = [
    pytest.mark.skipif(
        os.environ.get("CI") != "true" and os.geteuid() != 0,
        reason="only root can mount and change users",
    ),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="session")
def image() -> Iterator[Path]:
    """What the Dockerfile's steps leave in the image, beside its base."""
    # The mounts below `memory` are seen by the build alone, and end with it.
    with serving.socket_folder() as image, tempfile.TemporaryDirectory() as memory:
        Path(image).chmod(0o755)
        command = image_build.command(Path(image), Path(memory))
        subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603  ours
        yield Path(image)


@pytest.fixture(scope="session")
async def database(stage: serving.Stage) -> tuple[str, Mapping[str, str]]:
    """The address of a database as the image sees it, and the volume for that."""
    place = serving.Place(serving.Schema.REFERENCE, "tenancy")
    url = urlsplit(serving.as_reader(await stage.stored(place)))
    (folder,) = parse_qs(url.query)["host"]
    seen = f"postgresql://{url.netloc}{url.path}?host=/run/postgresql"
    name = ".s.PGSQL.5432"
    return seen, {f"/run/postgresql/{name}": f"{folder}/{name}"}


@pytest.fixture(scope="session")
def run(image: Path, database: tuple[str, Mapping[str, str]]) -> Run:
    """The image as its Dockerfile says that it runs, with a database and no more."""
    url, volumes = database
    return Run(
        image=str(image),
        argv=(),
        user=FINAL.last("USER").rest,
        folder=SOCKETS,
        environment={
            **FINAL.environment,
            "AUTHZ_DATABASE__URL": url,
            # A container has ports of its own; here others may have taken this one.
            "AUTHZ_METRICS__ADDRESS": "127.0.0.1:0",
        },
        volumes={**volumes, SOCKETS: f"{image}{SOCKETS}"},
    )


async def _ran(run: Run, *argv: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *replace(run, argv=argv).command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
    )
    async with asyncio.timeout(SECONDS):
        told, _ = await process.communicate()
    return process.returncode or 0, told.decode()


@asynccontextmanager
async def _serving(run: Run) -> AsyncIterator[asyncio.subprocess.Process]:
    entry = FINAL.last("ENTRYPOINT").exec_form or ()
    command = FINAL.last("CMD").exec_form or ()
    process = await asyncio.create_subprocess_exec(
        *replace(run, argv=(*entry, *command)).command,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(SECONDS):
            told = []
            while (line := await process.stderr.readline()).strip() != b"ready":
                told.append(line.decode())
                assert line, f"it ended before it was ready: {told}"
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(SECONDS):
            await process.communicate()


async def test_it_serves_and_its_probe_says_so(run: Run) -> None:
    """The entry point answers questions, and the health check ends with 0."""
    entry = FINAL.last("ENTRYPOINT").exec_form or ()
    question = ("ask", "resolve-context", "--json", "--user", "2", "--org", "20")

    async with _serving(run) as process:
        probed = await _ran(run, *PROBE)
        code, told = await _ran(run, *entry, *question)

    assert (0, "SERVING\n") == probed
    assert 0 == code, told
    assert "20" == json.loads(told)["context"]["current_principal_id"], told
    assert 0 == process.returncode


async def test_the_probe_fails_where_nothing_serves(run: Run) -> None:
    """So that the test above can fail: without a server it does not end with 0."""
    code, _ = await _ran(run, *PROBE)

    assert 2 == code


async def test_only_the_folder_of_sockets_is_written(run: Run, image: Path) -> None:
    """Nothing else changes while it serves, and in the end nothing is left there."""
    sockets = SOCKETS.removeprefix("/")
    before = _shipped(image)

    async with _serving(run):
        await _ran(run, *PROBE)
        during = _shipped(image)
    after = _shipped(image)

    added = during.keys() - before.keys()
    assert f"{sockets}/authz.sock" in added
    assert [] == [path for path in added if not path.startswith(f"{sockets}/")]
    assert [sockets] == [path for path in before if before[path] != during[path]]
    assert before.keys() == after.keys()


async def test_it_has_no_rights(run: Run) -> None:
    """It is nobody's user and group, in no other, with nothing that root may do."""
    async with _serving(run) as process:
        status = _status(process.pid)

    user = FINAL.last("USER").rest.split(":")[0]
    assert user * 4 == status["Uid"].replace("\t", "")
    assert user * 4 == status["Gid"].replace("\t", "")
    assert "" == status["Groups"].strip()
    assert {0} == {int(status[name], 16) for name in ("CapPrm", "CapEff", "CapInh")}
    assert "1" == status["NoNewPrivs"]


_WRITE: Final = """
import os, sys
for folder, _, _ in os.walk("/", followlinks=False):
    if not folder.startswith("/proc") and os.access(folder, os.W_OK):
        open(os.path.join(folder, "written"), "w").close()
        os.remove(os.path.join(folder, "written"))
        print(folder)
try:
    open("/opt/authz/written", "w")
except OSError as error:
    print(error.strerror)
"""


async def test_nothing_else_can_be_written(run: Run) -> None:
    """Of all folders that it sees, the socket's is the one that takes a file."""
    _, told = await _ran(run, _python(), "-c", _WRITE)

    assert [SOCKETS, "Read-only file system"] == told.splitlines()


async def test_no_shell_is_there(run: Run) -> None:
    """What is served above is served without any program but Python."""
    listed = 'import os; print(os.path.exists("/bin"), *sorted(os.listdir("/usr/bin")))'
    _, told = await _ran(run, _python(), "-c", listed)

    nothing, *programs = told.split()
    assert "False" == nothing
    assert ["python"] == list({name.rstrip("0123456789.") for name in programs})


def test_it_has_what_the_lock_says(image: Path) -> None:
    """The packages are the lock's for this system, the sidecar and its stubs."""
    (site,) = (image / "opt" / "authz" / "lib").glob("python*/site-packages")
    found = {
        canonicalize_name(each.name): each.version
        for each in importlib.metadata.distributions(path=[str(site)])
    }

    own = {name: found.pop(canonicalize_name(name)) for name in sbom.OWN}
    assert {"authz-sidecar", "authz-client"} == set(own)
    locked = sbom.locked(sbom.LOCK.read_text(encoding="utf-8"))
    assert {each.name: each.version for each in locked} == found


def test_nothing_tells_where_it_was_built(image: Path) -> None:
    """No package remembers a path of the build."""
    site = image / "opt" / "authz" / "lib"

    assert [] == list(site.glob("python*/site-packages/*.dist-info/direct_url.json"))


def test_all_is_compiled(image: Path) -> None:
    """Each module has bytecode that never asks for its source's time."""
    modules = list((image / "opt" / "authz" / "lib").rglob("sidecar/**/*.py"))
    flags = {_flags(module) for module in modules}

    assert modules
    assert {_UNCHECKED} == flags


def test_root_owns_what_is_shipped(image: Path) -> None:
    """Nobody who runs it may change it, even where it could be written."""
    shipped = [path for path in (image / "opt").rglob("*") if not path.is_symlink()]
    loose = [
        path
        for path in shipped
        if path.stat().st_uid != 0
        or path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    ]

    assert shipped
    assert [] == loose


def _python() -> str:
    return str(Path(PROBE[0]).with_name("python"))


def _flags(module: Path) -> bytes:
    (compiled,) = (module.parent / "__pycache__").glob(f"{module.stem}.*.pyc")
    return compiled.read_bytes()[4:8]


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def _shipped(image: Path) -> dict[str, tuple[int, int, int]]:
    # The rest is the base image's, and made anew for each run.
    places = [image / each.words[-1].removeprefix("/") for each in FINAL.all("COPY")]
    return {
        str(path.relative_to(image)): (told.st_mode, told.st_size, told.st_mtime_ns)
        for place in places
        for path in (place, *place.rglob("*"))
        for told in [path.lstat()]
    }


def _status(pid: int) -> dict[str, str]:
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: value.strip() for name, _, value in pairs}
