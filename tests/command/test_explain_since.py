"""What changed since a revision: all that a server has heard by the time of asking."""

from collections.abc import Iterator, Sequence
from typing import TypeVar, cast

from authz.v1 import authorization_service_pb2 as pb
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from typing_extensions import override

from sidecar.command.client import Client
from sidecar.command.explain_since import Since, since

R = TypeVar("R", bound=Message)


class _Server(Client):
    """A server that is behind at first, and tells these events."""

    def __init__(self, events: Sequence[pb.WatchResponse]) -> None:
        self._behind = [100.0, 100.0, 0.0]
        self._events = events

    @override
    def ask(self, rpc: str, request: Message, answer: type[R]) -> R:
        del rpc, request
        number = 4 - len(self._behind)
        behind = Duration(seconds=int(self._behind.pop(0)))
        position = pb.WatchPosition(server="s", number=number)
        info = pb.GetServerInfoResponse(position=position, staleness=behind)
        return answer.FromString(info.SerializeToString())

    @override
    def follow(
        self,
        rpc: str,
        request: Message,
        event: type[R],
        timeout: float | None = None,
    ) -> Iterator[R]:
        del rpc, request, event, timeout
        return iter(cast("Sequence[R]", self._events))


def beat(number: int, server: str = "s") -> pb.WatchResponse:
    """A beat at a position."""
    position = pb.WatchPosition(server=server, number=number)
    return pb.WatchResponse(beat=pb.WatchResponse.Beat(position=position))


def changed(group: str, key: str | None) -> pb.WatchResponse:
    """One fact that changed."""
    changes = pb.WatchResponse.Changes(changes=[pb.Change(group=group, key=key)])
    return pb.WatchResponse(changes=changes)


def test_goes_on_to_what_was_heard_after_the_answer() -> None:
    """A server that may be behind the answer is asked again how far it has come."""
    told = [changed("member", "1"), beat(1), beat(2), changed("role", None), beat(3)]

    assert Since((("member", "1"), ("role", None))) == since(_Server(told), "r", 5)


def test_a_stream_that_ends_before_is_not_known() -> None:
    """Nor is one of another life of a server."""
    unknown = Since(None)

    assert unknown == since(_Server([changed("member", "1"), beat(2)]), "r", 5)
    assert unknown == since(_Server([beat(9, "another")]), "r", 5)
    assert unknown == since(_Server([beat(9)]), None, 5)


def test_names_twenty_and_counts_the_others() -> None:
    """A page is no list of everything that happens on a platform."""
    changes = tuple(("member", str(number)) for number in range(23))

    assert Since(changes).words.endswith("member 18, member 19, and 3 more")
