"""The rule sets that hold now: read from a file, and again when it changes."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Self

import structlog

from sidecar.core.model import ResourceKind
from sidecar.edge.compiling import RoutesError, compile_routes
from sidecar.edge.routes import RuleSets

_MOST_BYTES: Final = 4 * 1024 * 1024

_log = structlog.stdlib.get_logger("sidecar.edge")


class Routes:
    """The last good rule sets of a file, and what is wrong with it since."""

    def __init__(
        self, path: Path, kinds: Mapping[str, ResourceKind], first: bytes
    ) -> None:
        self._path = path
        self._kinds = kinds
        self._seen = _digest(first)
        self._current = _compile(first, kinds)
        self._problem: str | None = None
        self.digest = self._seen.hex()
        self.reloads = 0
        self.failures = 0

    @classmethod
    def read(cls, path: Path, kinds: Mapping[str, ResourceKind]) -> Self:
        """Reads a file for the first time.

        Raises:
            RoutesError: it cannot be read, or cannot hold; each problem names the file.
        """
        try:
            return cls(path, kinds, _read(path))
        except RoutesError as error:
            raise error.within(str(path)) from error

    def current(self) -> RuleSets:
        """The rule sets that hold."""
        return self._current

    @property
    def problem(self) -> str | None:
        """Why the file as it is now does not hold; none while it does."""
        return self._problem

    async def look(self) -> None:
        """Looks at the file; keeps what holds when the file is bad.

        The content is compared, not its time: a swapped symlink may be older.
        """
        try:
            found = await asyncio.to_thread(_read, self._path)
        except RoutesError as error:
            self._failed(str(error), b"")
            return
        digest = _digest(found)
        if digest == self._seen:
            # Also after a bad file went away and the good one is back.
            self._settle(digest)
            return
        try:
            # A large file takes a while, and requests must not wait for it.
            compiled = await asyncio.to_thread(_compile, found, self._kinds)
        except RoutesError as error:
            self._failed(str(error), digest)
            return
        self._current = compiled
        self._seen = digest
        self.digest = digest.hex()
        self.reloads += 1
        self._problem = None
        _log.info("routes.reloaded", path=str(self._path), digest=self.digest)

    async def watch(
        self, interval_seconds: float, looked: Callable[[], None] = lambda: None
    ) -> None:
        """Looks again and again, until it is cancelled; tells when it has looked."""
        while True:
            await asyncio.sleep(interval_seconds)
            await self.look()
            looked()

    def _settle(self, digest: bytes) -> None:
        if self._problem is not None and digest == self._seen:
            self._problem = None
            _log.info("routes.good_again", path=str(self._path))

    def _failed(self, problem: str, digest: bytes) -> None:
        if problem == self._problem:
            return
        self._problem = problem
        self.failures += 1
        _log.error(
            "routes.refused",
            path=str(self._path),
            problems=problem.splitlines(),
            digest=digest.hex(),
            kept=self.digest,
        )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "it fails").lower()
        raise RoutesError([f"the file cannot be read: {reason}"]) from error
    if len(content) > _MOST_BYTES:
        raise RoutesError([f"the file has more than {_MOST_BYTES} bytes"])
    return content


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _compile(content: bytes, kinds: Mapping[str, ResourceKind]) -> RuleSets:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RoutesError(["the file is not UTF-8"]) from error
    return compile_routes(text, kinds)
