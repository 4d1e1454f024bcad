"""Runs a program of the image as a container would, where no engine runs.

A program for a mount namespace of its own: `unshare --mount` starts it as root, and it
becomes the program that it is told to run. The root has what the image has, all of it
read-only but the volumes, and no shell.
"""

import ctypes
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from tests.deploy.image_build import lend, lend_interpreter, mount

# What the base image has besides Python: the C library and others, certificates.
_BASE: Final = tuple(
    map(Path, ("/usr/lib", "/usr/lib64", "/etc/ssl", "/etc/ld.so.cache", "/proc"))
)
_LINKS: Final = ("lib", "lib64")
_DEVICES: Final = tuple(map(Path, ("/dev/null", "/dev/zero", "/dev/urandom")))
_NO_NEW_PRIVILEGES: Final = 38
_USERS: Final = "nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"


@dataclass(frozen=True)
class Run:
    """What to run in which image."""

    image: str
    argv: tuple[str, ...]
    user: str
    folder: str
    environment: Mapping[str, str]
    # Files and folders of this machine at places of the image, to be written to.
    volumes: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> tuple[str, ...]:
        """The command line with which it runs."""
        program = (sys.executable, "-m", "tests.deploy.image_run")
        return ("/usr/bin/unshare", "--mount", *program, json.dumps(asdict(self)))


def main() -> None:
    """Becomes the program; it sees nothing else of this machine's files."""
    run = Run(**json.loads(sys.argv[1]))
    _assemble(Path(run.image), run.volumes)
    user, group = map(int, run.user.split(":"))
    os.chroot(run.image)
    os.chdir(run.folder)
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)
    if ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        raise OSError("privileges cannot be given up")
    os.execve(run.argv[0], run.argv, dict(run.environment))  # noqa: S606  no shell there


def _assemble(image: Path, volumes: Mapping[str, str]) -> None:
    mount("--bind", image, image)
    for place in _BASE:
        lend(place, image, place)
    for link in _LINKS:
        if not (image / link).is_symlink():
            (image / link).symlink_to(f"usr/{link}")
    (image / "tmp").mkdir(exist_ok=True)
    (image / "etc" / "passwd").write_text(_USERS, encoding="utf-8")
    library = lend_interpreter(image)
    for place in _DEVICES:
        lend(place, image, place)
    for name, source in volumes.items():
        lend(Path(source), image, Path(name))
    for place in (Path("/"), *_BASE, library):
        mount("--options", "remount,bind,ro", image / place.relative_to("/"))


if __name__ == "__main__":
    main()
