"""Becomes a container's process: its namespaces, root, mounts and user; its program.

Run alone, as `python -I enter.py <what>`: what to become is JSON, of the form that
containers.py writes. What was started stays to wait for the container's first process
and ends as it ended.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Final, TypedDict

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS: Final = 0x0002_0000
_CLONE_NEWPID: Final = 0x2000_0000
_MS_RDONLY: Final = 1
_MS_REMOUNT: Final = 32
_MS_BIND: Final = 4096
_MS_REC: Final = 16384
_MS_PRIVATE: Final = 1 << 18
_PR_SET_PDEATHSIG: Final = 1
_PR_CAPBSET_DROP: Final = 24
_PR_SET_NO_NEW_PRIVS: Final = 38
_CAPABILITIES: Final = 41
_NOT_FOUND: Final = 127


class What(TypedDict):
    """A process of a container.

    `inside` is a process whose container this one joins, 0 for a container of its own;
    `network` a file descriptor. `binds` are sources, targets, and whether they are
    read-only.
    """

    network: int
    inside: int
    root: str
    binds: list[tuple[str, str, bool]]
    links: dict[str, str]
    has_read_only_root: bool
    may_gain_privileges: bool
    drops_capabilities: bool
    user: int
    group: int
    groups: list[int]
    folder: str
    command: list[str]
    environment: dict[str, str]


def main(what: What) -> None:
    """Enters the namespaces, and forks the first process there."""
    _done(_LIBC.setns(what["network"], 0), "network")
    os.close(what["network"])
    if what["inside"]:
        _join(what["inside"])
    else:
        _done(_LIBC.unshare(_CLONE_NEWNS | _CLONE_NEWPID), "namespaces")
    # A namespace of processes is that of the children.
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        sys.exit(os.waitstatus_to_exitcode(status) % 256)
    if not what["inside"]:
        _make_root(what)
    os.chdir(what["folder"])
    _become(what)
    # Only now: a change of the user makes the kernel forget it.
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    try:
        os.execvpe(  # noqa: S606  that there is no shell is what this is about
            what["command"][0], what["command"], what["environment"]
        )
    except OSError as error:
        sys.stderr.write(f"{what['command'][0]}: {error.strerror}\n")
        sys.exit(_NOT_FOUND)


def _join(process: int) -> None:
    root = os.open(f"/proc/{process}/root", os.O_RDONLY)
    for name in ("pid", "mnt"):
        namespace = os.open(f"/proc/{process}/ns/{name}", os.O_RDONLY)
        _done(_LIBC.setns(namespace, 0), name)
        os.close(namespace)
    os.fchdir(root)
    os.chroot(".")
    os.close(root)


def _make_root(what: What) -> None:
    root = Path(what["root"])
    _mount("", "/", "", _MS_REC | _MS_PRIVATE)
    _mount("root", str(root), "tmpfs", 0, "mode=755")
    for name in ("proc", "tmp"):
        (root / name).mkdir()
    (root / "tmp").chmod(0o1777)
    for name, target in what["links"].items():
        (root / name).symlink_to(target)
    for source, target, is_read_only in what["binds"]:
        _bind(source, root / target.lstrip("/"), is_read_only=is_read_only)
    _mount("proc", str(root / "proc"), "proc", 0)
    if what["has_read_only_root"]:
        _mount("", str(root), "", _MS_BIND | _MS_REMOUNT | _MS_RDONLY)
    os.chroot(root)


def _bind(source: str, target: Path, *, is_read_only: bool) -> None:
    if Path(source).is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    _mount(source, str(target), "", _MS_BIND | _MS_REC)
    if is_read_only:
        _mount("", str(target), "", _MS_BIND | _MS_REMOUNT | _MS_RDONLY)


def _become(what: What) -> None:
    if what["drops_capabilities"]:
        for number in range(_CAPABILITIES):
            _LIBC.prctl(_PR_CAPBSET_DROP, number)
    os.setgroups(what["groups"])
    os.setresgid(*[what["group"]] * 3)
    os.setresuid(*[what["user"]] * 3)
    if not what["may_gain_privileges"]:
        _done(_LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "privileges")


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    words = [each.encode() for each in (source, target, kind)]
    _done(_LIBC.mount(*words, flags, options.encode() or None), target)


def _done(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
