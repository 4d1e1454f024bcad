"""The file of a listener's Unix socket: made aside, put into place, taken away."""

import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from os import umask
from pathlib import Path
from typing import Self, TypeAlias

from sidecar.transport.listener import ListenerError, UnixAddress

# Device and number: what makes a file the same one, whatever its name.
_Identity: TypeAlias = tuple[int, int]


@dataclass(slots=True)
class SocketFile:
    """One listener's socket file, whose place another sidecar may take over.

    The server binds it aside, and it is renamed to its place once the server answers.
    So nobody finds it refusing or with a wider mode than its own, and where it takes
    over, each connection leads to a server that answers, before and after.
    """

    address: UnixAddress
    aside: UnixAddress
    takes_over: bool
    _placed: _Identity | None = field(default=None, init=False)

    @classmethod
    def of(cls, address: UnixAddress, *, takes_over: bool) -> Self:
        """The file for an address; nothing is made yet."""
        # In containers that share a directory, every process has the same number.
        name = f".{secrets.token_hex(4)}"
        aside = replace(address, path=address.path.with_name(name))
        return cls(address, aside, takes_over)

    @contextmanager
    def created_with_mode(self) -> Iterator[None]:
        """Within, a file that is bound at `aside` has its mode from the beginning.

        Raises:
            ListenerError: another process answers at the place and nothing is taken
                over, or something that is no socket is there.
        """
        self._refuse_taken()
        before = umask(0o777 & ~self.address.mode)
        try:
            yield
        finally:
            umask(before)
        self.aside.path.chmod(self.address.mode)

    def place(self) -> None:
        """Renames it to its place; the server answers by now.

        Raises ListenerError as `created_with_mode` does.
        """
        # Whoever came while the server was starting is not pushed aside either.
        self._refuse_taken()
        self._placed = _identity_of(self.aside.path)
        self.aside.path.rename(self.address.path)

    def remove(self) -> None:
        """Removes it; what another has put into its place stays."""
        self.aside.path.unlink(missing_ok=True)
        path = self.address.path
        if self._placed is not None and _identity_of(path) == self._placed:
            path.unlink(missing_ok=True)

    def _refuse_taken(self) -> None:
        path = self.address.path
        if not path.exists():
            if not path.parent.is_dir():
                raise ListenerError(f"there is no directory for the socket `{path}`")
            return
        if not path.is_socket():
            raise ListenerError(f"`{path}` exists and is no socket")
        # Renaming would leave the other running where nobody finds it.
        if not self.takes_over and _answers(path):
            raise ListenerError(f"another process listens on `{path}`")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _identity_of(path: Path) -> _Identity | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
