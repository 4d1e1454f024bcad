"""Answers that are kept, and until when they may be given again.

No I/O and no clock; times are seconds of one clock that runs through suspend. What is
proven here, and how, is told in the decision page on the client's cache.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar, cast

from authz.client.answers import (
    Authorization,
    Beat,
    Changes,
    CheckedRole,
    Decisions,
    DropEverything,
    PermissionsList,
    Position,
    ServerInfo,
    WatchEvent,
)
from authz.client.calls import Call
from authz.client.errors import ProtocolError

A = TypeVar("A")
_NEVER: Final = float("-inf")
_PROOFS: Final = 32


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may be kept: answers, and bytes of the questions to them."""

    answers: int = 10_000
    request_bytes: int = 4 * 1024 * 1024


class _Proof(NamedTuple):
    position: Position
    until: float


class Kept:
    """Answers of one server, all dropped when anything changes."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._answers: OrderedDict[tuple[str, bytes], object] = OrderedDict()
        self._bytes = 0
        self._server: str | None = None
        self._told = 0
        self._proofs: deque[_Proof] = deque(maxlen=_PROOFS)
        self._until = _NEVER
        self.epoch = 0

    def __len__(self) -> int:
        return len(self._answers)

    def is_live(self, now: float) -> bool:
        """Whether what is kept may be given."""
        return now < self._until

    def restart(self) -> None:
        """A stream begins or ends: nothing is known of what changes meanwhile."""
        self._forget()
        self._doubt()
        self._server = None
        self._told = 0

    def hear(self, event: WatchEvent) -> None:
        """Takes in the next message of the stream.

        Raises:
            ProtocolError: the stream is not of the server that it, or a proof, was of.
        """
        match event:
            case Changes():
                self._forget()
            case DropEverything():
                self._forget()
                self._doubt()
            case Beat(position=Position() as position):
                self._reach(position)
            case Beat():
                # A beat that has no place in the stream proves nothing about it.
                return

    def prove(self, asked_at: float, info: ServerInfo) -> None:
        """Takes in what the server said when it was asked at a time.

        It had then heard all that was committed `staleness` before. Once the stream
        has told as much, so has this cache.

        Raises:
            ProtocolError: another server answered than the one that streams.
        """
        if info.position is None or info.staleness is None:
            return
        if info.max_staleness is None:
            return
        self._must_be(info.position)
        # Less than nothing would prolong the bound.
        staleness = max(info.staleness.total_seconds(), 0)
        until = asked_at - staleness + info.max_staleness.total_seconds()
        self._proofs.append(_Proof(info.position, until))
        self._settle()

    def find(self, call: Call[A], now: float) -> A | None:
        """The answer that was kept to a question, if it may be given."""
        if now >= self._until:
            return None
        key = (call.method, call.request)
        answer = self._answers.get(key)
        if answer is None:
            return None
        self._answers.move_to_end(key)
        return cast("A", answer)

    def keep(self, call: Call[A], answer: A, epoch: int, now: float) -> None:
        """Keeps an answer, if it is certain that all that changes it will be told.

        `epoch` is what it was when the question began.
        """
        if (
            call.is_lasting
            and epoch == self.epoch
            and self.is_live(now)
            and self._is_of_server(answer)
        ):
            self._store((call.method, call.request), answer)

    def _is_of_server(self, answer: object) -> bool:
        match answer:
            case (
                Decisions(decision_id=name)
                | CheckedRole(decision_id=name)
                | PermissionsList(decision_id=name)
                | Authorization(decision_id=name)
            ):
                return self._server is not None and name.startswith(f"{self._server}-")
            case _:
                return False

    def _store(self, key: tuple[str, bytes], answer: object) -> None:
        if len(key[1]) > self._bounds.request_bytes:
            return
        if key not in self._answers:
            self._bytes += len(key[1])
        self._answers[key] = answer
        while (
            len(self._answers) > self._bounds.answers
            or self._bytes > self._bounds.request_bytes
        ):
            (_, request), _ = self._answers.popitem(last=False)
            self._bytes -= len(request)

    def _forget(self) -> None:
        self.epoch += 1
        self._answers.clear()
        self._bytes = 0

    def _doubt(self) -> None:
        self._until = _NEVER
        self._proofs.clear()

    def _reach(self, position: Position) -> None:
        if self._server is None:
            # Only now is it certain that the server tells this stream all. What was
            # asked before may lack a change that was never told here.
            self._forget()
            self._server = position.server
        self._must_be(position)
        for proof in self._proofs:
            self._must_be(proof.position)
        if position.number < self._told:
            raise ProtocolError("the stream went back")
        self._told = position.number
        self._settle()

    def _must_be(self, position: Position) -> None:
        if self._server is not None and position.server != self._server:
            raise ProtocolError("the stream is of another server than the answers")

    def _settle(self) -> None:
        if self._server is None:
            return
        while self._proofs and self._proofs[0].position.number <= self._told:
            self._until = max(self._until, self._proofs.popleft().until)
