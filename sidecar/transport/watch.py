"""`Watch`: passes on which facts change, to each client at its own pace."""

import asyncio
import itertools
from contextlib import closing
from math import isfinite
from typing import TYPE_CHECKING, Final, TypeAlias, assert_never

from authz.v1 import authorization_service_pb2 as api
from google.protobuf import duration_pb2

from sidecar.core.reasons import Reason
from sidecar.ports import (
    Changes,
    ChangeSource,
    Clock,
    DropEverything,
    OverloadedError,
    Proof,
    UnknownRevisionError,
    Watcher,
    WatcherTooSlowError,
    WatchEvent,
)
from sidecar.transport.endings import Endings
from sidecar.transport.status import RefusedError, unknown_revision

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from grpc import aio

Context: TypeAlias = "aio.ServicerContext[Message, Message]"

_AFTER: Final = "after_revision"
# Messages of a stream between which calls may be answered.
_TURN: Final = 16


class Watches:
    """The streams of all listeners.

    `changes` is how many keys were sent on all of them together.
    """

    def __init__(
        self, source: ChangeSource, clock: Clock, max_staleness: float
    ) -> None:
        """A client that takes nothing for `max_staleness` seconds is cut off.

        By then it must not answer from what it keeps anyway.
        """
        self.source = source
        self.max_staleness = max_staleness
        self.changes = 0
        self._clock = clock
        self._endings = Endings()

    async def serve(
        self, request: api.WatchRequest, context: Context, server: str
    ) -> None:
        """Writes one stream until its client leaves or is cut off.

        `server` names the listener's life in positions. Raises RefusedError and
        CouldNotDecideError.
        """
        with closing(self._watcher(request)) as watcher:
            # Apart from the first message: one that is cut off on its way would leave
            # it open whether these are to be sent with the status.
            await context.send_initial_metadata(())
            try:
                async with self._endings.lasting():
                    await self._pass_on(watcher, context, server)
            except TimeoutError as error:
                raise _stopping() from error

    def end(self) -> None:
        """Ends every stream at once, and lets none begin."""
        self._endings.end()

    def describe(self, info: api.GetServerInfoResponse, server: str) -> None:
        """Says how much was heard, and how fresh that is."""
        position = api.WatchPosition(server=server, number=self.source.position)
        info.position.CopyFrom(position)
        staleness = self.source.staleness()
        if isfinite(staleness):
            info.staleness.CopyFrom(_duration(staleness))
        info.max_staleness.CopyFrom(_duration(self.max_staleness))

    def _watcher(self, request: api.WatchRequest) -> Watcher:
        if self._endings.are_due:
            raise _stopping()
        after = request.after_revision if request.HasField(_AFTER) else None
        try:
            return self.source.watch(after)
        except UnknownRevisionError as error:
            raise unknown_revision(_AFTER) from error
        except OverloadedError as error:
            raise RefusedError(
                Reason.OVERLOADED, "there are as many streams as there may be"
            ) from error

    async def _pass_on(self, watcher: Watcher, context: Context, server: str) -> None:
        for number in itertools.count(1):
            event = await watcher.next()
            message = self._message(event, server)
            try:
                async with asyncio.timeout(self.max_staleness):
                    await context.write(message)
            except TimeoutError as error:
                raise WatcherTooSlowError("nothing is taken") from error
            if number % _TURN == 0:
                # While there is room for more, writing lets nobody else have a turn.
                await asyncio.sleep(0)

    def _message(self, event: WatchEvent, server: str) -> api.WatchResponse:
        match event:
            case Changes():
                changes = _changes(event)
                self.changes += len(changes)
                told = api.WatchResponse.Changes(changes=changes)
                return api.WatchResponse(changes=told)
            case DropEverything():
                dropped = api.WatchResponse.DropEverything(revision=event.revision)
                return api.WatchResponse(drop_everything=dropped)
            case Proof():
                beat = api.WatchResponse.Beat(
                    revision=event.revision or "",
                    staleness=_duration(self._clock.monotonic() - event.since),
                    position=api.WatchPosition(server=server, number=event.number),
                )
                return api.WatchResponse(beat=beat)
            case _:
                assert_never(event)


def _stopping() -> RefusedError:
    return RefusedError(Reason.FACTS_UNAVAILABLE, "the server is stopping")


def _changes(event: Changes) -> list[api.Change]:
    revision = event.revision or ""
    return [
        api.Change(group=event.group, key=key, revision=revision)
        for key in event.keys or (None,)
    ]


def _duration(seconds: float) -> duration_pb2.Duration:
    return duration_pb2.Duration(
        seconds=int(seconds), nanos=int(seconds % 1 * 1_000_000_000)
    )
