"""Facts whose reading is recorded: the decision, each look-up, each load.

A question that is not recorded gets the very facts that it would get without this.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Final, Self, TypeVar

from typing_extensions import override

from sidecar.observe.tracing import Attribute, Span, current_span
from sidecar.ports import (
    AtLeast,
    FactKey,
    Facts,
    FactSource,
    FieldTypes,
    Freshness,
    Moment,
)

T = TypeVar("T")

# The names of facts by the types of their keys. What a key names is never recorded.
FactNames = Mapping[type[FactKey[object]], str]

DECISION: Final = "authz.decision"
LOOKUP: Final = "authz.lookup"
LOAD: Final = "authz.load"


class TracedSource(FactSource):
    """Opens facts for a decision that is recorded as long as they are open."""

    def __init__(self, source: FactSource, names: FactNames) -> None:
        self._source = source
        self._names = names

    @override
    def at_hand(self, consistency: Freshness) -> Moment | None:
        # What takes no time is recorded too: a decision without look-ups.
        return None if current_span() else self._source.at_hand(consistency)

    @override
    def open(
        self, consistency: Freshness, deadline: float
    ) -> AbstractAsyncContextManager[Facts]:
        opened = self._source.open(consistency, deadline)
        span = current_span()
        if span is None:
            return opened
        wanted = "at_least" if isinstance(consistency, AtLeast) else consistency.value
        below = span.within(DECISION, {"authz.consistency": wanted})
        return _TracedOpening(opened, below, self._names)

    @property
    @override
    def field_types(self) -> FieldTypes:
        return self._source.field_types


class _TracedOpening(AbstractAsyncContextManager[Facts]):
    def __init__(
        self, opened: AbstractAsyncContextManager[Facts], span: Span, names: FactNames
    ) -> None:
        self._opened = opened
        self._span = span
        self._names = names

    @override
    async def __aenter__(self) -> Facts:
        self._span.__enter__()
        try:
            facts = await self._opened.__aenter__()
        except BaseException as error:
            self._span.__exit__(type(error), error, error.__traceback__)
            raise
        return _TracedFacts(facts, self._names)

    @override
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        try:
            return await self._opened.__aexit__(kind, error, traceback)
        finally:
            self._span.__exit__(kind, error, traceback)


class _TracedFacts(Facts):
    def __init__(self, facts: Facts, names: FactNames) -> None:
        self._facts = facts
        self._names = names

    @property
    @override
    def epoch(self) -> int | None:
        return self._facts.epoch

    @property
    @override
    def revision(self) -> str | None:
        return self._facts.revision

    @override
    async def get(self, key: FactKey[T]) -> T:
        return await self._look_up((key,), lambda: self._facts.get(key))

    @override
    async def get_all(self, keys: Sequence[FactKey[T]]) -> list[T]:
        return await self._look_up(keys, lambda: self._facts.get_all(keys))

    async def _look_up(
        self, keys: Sequence[FactKey[object]], read: Callable[[], Awaitable[T]]
    ) -> T:
        above = current_span()
        if above is None or not keys:
            return await read()
        with above.within(LOOKUP, _of(keys, self._names)) as span:
            with _Waiting() as waiting:
                found = await read()
            span.attributes["authz.from_memory"] = not waiting.was_needed
        return found


class _Waiting:
    """Whether something waited within: then the loop has had its turn meanwhile."""

    __slots__ = ("_handle", "was_needed")

    def __enter__(self) -> Self:
        self.was_needed = False
        self._handle = asyncio.get_running_loop().call_soon(self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._handle.cancel()

    def _note(self) -> None:
        self.was_needed = True


class TracedLoader(Facts):
    """Reads facts for memory; recorded for the question that made it be read."""

    def __init__(self, loader: Facts, names: FactNames) -> None:
        self._loader = loader
        self._names = names

    @override
    async def get(self, key: FactKey[T]) -> T:
        return (await self.get_all((key,)))[0]

    @override
    async def get_all(self, keys: Sequence[FactKey[T]]) -> list[T]:
        above = current_span()
        if above is None or not keys:
            return await self._loader.get_all(keys)
        with above.within(LOAD, _of(keys, self._names)):
            return await self._loader.get_all(keys)


def _of(keys: Sequence[FactKey[object]], names: FactNames) -> dict[str, Attribute]:
    return {"authz.fact": names[type(keys[0])], "authz.keys": len(keys)}
