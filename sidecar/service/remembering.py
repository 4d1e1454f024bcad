"""Facts of one moment, read once while they are needed again and again."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Final, TypeVar, cast

from typing_extensions import override

from sidecar.ports import Authenticated, CredentialVerifier, FactKey, Facts

T = TypeVar("T")

_MOST: Final = 2_000


class RememberedFacts(Facts):
    """Remembers some facts, and forgets all of them when they are too many.

    Only for facts that cannot change, as those of a snapshot.
    """

    def __init__(self, facts: Facts, most: int = _MOST) -> None:
        self._facts = facts
        self._most = most
        self._known: dict[FactKey[object], object] = {}

    @property
    @override
    def revision(self) -> str | None:
        return self._facts.revision

    @override
    async def get(self, key: FactKey[T]) -> T:
        return (await self.get_all((key,)))[0]

    @override
    async def get_all(self, keys: Sequence[FactKey[T]]) -> list[T]:
        wanted: dict[FactKey[object], object] = {
            key: self._known[key] for key in keys if key in self._known
        }
        missing = [key for key in dict.fromkeys(keys) if key not in wanted]
        if missing:
            wanted.update(zip(missing, await self._facts.get_all(missing), strict=True))
            self._remember(wanted)
        return [cast("T", wanted[key]) for key in keys]

    def _remember(self, facts: Mapping[FactKey[object], object]) -> None:
        if len(self._known) + len(facts) > self._most:
            self._known.clear()
        if len(facts) <= self._most:
            self._known.update(facts)


class NoCredentials(CredentialVerifier):
    """Takes no credential: for callers who are named."""

    @override
    async def verify(self, text: str, facts: Facts) -> Authenticated | None:
        return None


async def batches(source: AsyncIterator[T], size: int) -> AsyncGenerator[list[T], None]:
    """The same values, so many together."""
    batch: list[T] = []
    async for each in source:
        batch.append(each)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
