"""Replays the build stage of the Dockerfile, where no container engine runs.

A program for a mount namespace of its own: `unshare --mount` starts it as root. Its
root is this machine's with a layer in memory above it, so the steps write where they
would in a builder, and nothing of it remains but what the image copies. The Python is
that of whoever starts it, not the image's; all else is done as the file says.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.deploy.dockerfile import ROOT, Instruction, Stage, stages

# Debian's image has this one; this machine's may find another Python first.
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# How packages are reached from here.
_LENT: Final = ("PIP_", "SSL_")
_IGNORED: Final = shutil.ignore_patterns("__pycache__", "*.pyc")


class Builder:
    """The root of the build, and what its instructions have set so far."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = Path("/")
        self._environment = {"PATH": _PATH} | {
            name: value
            for name, value in os.environ.items()
            if name.startswith(_LENT) or name.lower().endswith("_proxy")
        }

    def play(self, step: Instruction) -> None:
        """Does what one instruction says; raises ValueError for one that is new."""
        match step.keyword:
            case "ARG" | "ENV":
                self._environment |= step.pairs
            case "WORKDIR":
                self._folder = Path(step.rest)
                self.inside(self._folder).mkdir(parents=True, exist_ok=True)
            case "COPY":
                self._copy(step.words)
            case "RUN":
                self._run(step.rest)
            case _:
                raise ValueError(f"cannot replay `{step.keyword}`")

    def inside(self, path: Path) -> Path:
        """A path of the build, as it is seen from outside."""
        return self._root / (self._folder / path).relative_to("/")

    def _copy(self, words: Sequence[str]) -> None:
        *sources, target = words
        for name in sources:
            source = ROOT / name
            # As an engine does it: of a folder, what is in it.
            place = self.inside(Path(target))
            if source.is_dir():
                shutil.copytree(source, place, ignore=_IGNORED, dirs_exist_ok=True)
                continue
            if target.endswith("/"):
                place.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place)

    def _run(self, command: str) -> None:
        # What Debian's packages bring, this machine has.
        if command.startswith("apt-get"):
            return
        inner = f"cd {self._folder} && {command}"
        subprocess.run(  # noqa: S603  what the Dockerfile says
            ["/usr/sbin/chroot", self._root, "/bin/sh", "-c", inner],
            env=self._environment,
            check=True,
            stdout=sys.stderr,
        )


def main() -> None:
    """Leaves what the image copies in the folder that is named.

    The other folder named is where the mounts go. Nothing here may delete it: below it
    are this machine's files, until the namespace ends.
    """
    image, memory = map(Path, sys.argv[1:])
    builder, final = stages()
    build = Builder(_layered(memory))
    for step in builder.instructions:
        build.play(step)
    _ship(final, build, image)


def command(image: Path, memory: Path) -> tuple[str, ...]:
    """The command line that builds into one folder, by way of an empty one."""
    program = (sys.executable, "-m", __name__, str(image), str(memory))
    return ("/usr/bin/unshare", "--mount", *program)


def lend_interpreter(root: Path) -> Path:
    """Puts the Python of this program where the image's is; gives its library there."""
    name = f"python{sysconfig.get_python_version()}"
    library = Path("/usr/lib") / name
    lend(Path(sysconfig.get_path("stdlib")), root, library)
    lend(Path(sys.executable).resolve(), root, Path("/usr/bin") / name)
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        folder = Path(sysconfig.get_config_var("LIBDIR"))
        shared = folder / sysconfig.get_config_var("INSTSONAME")
        lend(shared, root, shared)
    python = root / "usr" / "bin" / "python3"
    python.unlink(missing_ok=True)
    python.symlink_to(name)
    return library


def lend(source: Path, root: Path, place: Path) -> None:
    """Binds a file or folder of this machine to a place below a root."""
    inside = root / place.relative_to("/")
    if source.is_dir():
        inside.mkdir(parents=True, exist_ok=True)
    else:
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.touch()
    mount("--bind", source, inside)


def mount(*arguments: str | Path) -> None:
    """Calls the program of this name; raises CalledProcessError."""
    subprocess.run(["/usr/bin/mount", *arguments], check=True)  # noqa: S603  ours


def _layered(memory: Path) -> Path:
    mount("--types", "tmpfs", "none", memory)
    upper, work, root = (memory / name for name in ("upper", "work", "root"))
    for folder in (upper, work, root):
        folder.mkdir()
    layers = f"lowerdir=/,upperdir={upper},workdir={work}"
    mount("--types", "overlay", "none", "--options", layers, root)
    for name in ("dev", "proc"):
        mount("--rbind", Path("/") / name, root / name)
    lend_interpreter(root)
    return root


def _ship(final: Stage, build: Builder, image: Path) -> None:
    for step in final.all("COPY"):
        source, target = step.words
        place = image / Path(target).relative_to("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(build.inside(Path(source)), place, symlinks=True)
        if "chown" in step.flags:
            os.chown(place, *map(int, step.flags["chown"].split(":")))
        if "chmod" in step.flags:
            place.chmod(int(step.flags["chmod"], 8))


if __name__ == "__main__":
    main()
