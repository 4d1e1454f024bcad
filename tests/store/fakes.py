"""Stand-ins for ports: a clock that is set, facts that are read when a test says so."""

import asyncio
from collections.abc import Sequence
from typing import TypeVar, cast

from typing_extensions import override

from sidecar.core.ids import PrincipalId, UserId
from sidecar.core.model import Principal, PrincipalKind, UserRecord
from sidecar.ports import Clock, FactKey, Facts

T = TypeVar("T")


class FakeClock(Clock):
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    @override
    def monotonic(self) -> float:
        return self.now

    @override
    def wall(self) -> float:
        return self.now


class FakeFacts(Facts):
    """A world of facts; each reading sees it as it is when the reading begins.

    While `closed`, readings begin but do not end.
    """

    def __init__(self) -> None:
        self.world: dict[FactKey[object], object] = {}
        self.readings: list[list[FactKey[object]]] = []
        self.error: Exception | None = None
        self.began = asyncio.Event()
        self._gate = asyncio.Event()
        self._gate.set()

    def close(self) -> None:
        """From now on readings do not end."""
        self._gate.clear()
        self.began.clear()

    def open(self) -> None:
        """Lets all readings end."""
        self._gate.set()

    @override
    async def get(self, key: FactKey[T]) -> T:
        return (await self.get_all([key]))[0]

    @override
    async def get_all(self, keys: Sequence[FactKey[T]]) -> list[T]:
        self.readings.append(list(keys))
        facts = [cast("T", self.world.get(key)) for key in keys]
        self.began.set()
        await self._gate.wait()
        if self.error is not None:
            raise self.error
        return facts

    async def reading(self) -> None:
        """Waits until a reading has begun since the last call."""
        async with asyncio.timeout(5):
            await self.began.wait()
        self.began.clear()


def user(user_id: str, principal_id: str = "1", name: str = "") -> UserRecord:
    """A user that is fit."""
    return UserRecord(
        UserId(user_id),
        is_platform_admin=False,
        is_system=False,
        is_active=True,
        principal=Principal(
            PrincipalId(principal_id), PrincipalKind.USER, name, is_deleted=False
        ),
    )
