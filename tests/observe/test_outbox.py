"""Spans on their way out: bounded, counted, and never waited for."""

import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from sidecar.observe.outbox import Bounds, Fate, Outbox, Sender, SendingError
from sidecar.observe.tracing import Kind, Span

_SECONDS = 10
PASSING = SendingError("UNAVAILABLE", is_passing=True)
FINAL = SendingError("INVALID_ARGUMENT", is_passing=False)


class Sending(Sender):
    """Sends nowhere: fails, refuses or is silent as it is told."""

    def __init__(self, *problems: Exception | None, refused: int = 0) -> None:
        self.problems = list(problems)
        self.refused = refused
        self.sent: list[list[str]] = []
        self.tried = asyncio.Condition()
        self.tries = 0
        self.is_silent = False
        self.is_closed = False

    @override
    async def send(self, spans: Sequence[Span]) -> int:
        async with self.tried:
            self.tries += 1
            self.tried.notify_all()
        if self.is_silent:
            await asyncio.Event().wait()
        problem = self.problems.pop(0) if self.problems else None
        if problem is not None:
            raise problem
        self.sent.append([each.name for each in spans])
        return self.refused

    @override
    async def close(self) -> None:
        self.is_closed = True

    async def until_tried(self, times: int) -> None:
        """Waits until it was asked to send so often."""
        async with asyncio.timeout(_SECONDS), self.tried:
            await self.tried.wait_for(lambda: self.tries >= times)


def _span(name: str) -> Span:
    return Span(name, Kind.SERVER, (1, 0, ""), lambda _: None)


def _outbox(sender: Sender, waiting: int = 100, batch: int = 10) -> Outbox:
    return Outbox(sender, Bounds(waiting, batch, 0.001, pause=0.001))


async def test_spans_are_sent_in_batches_and_in_order() -> None:
    """As many at once as are allowed, the first ones first."""
    sender = Sending()
    outbox = _outbox(sender, batch=2)
    for name in "abcde":
        outbox.add(_span(name))

    outbox.start()
    await outbox.close(_SECONDS)

    assert [["a", "b"], ["c", "d"], ["e"]] == sender.sent
    assert 5 == outbox.fates[Fate.SENT]
    assert sender.is_closed


async def test_what_is_too_much_is_dropped_and_counted() -> None:
    """Beyond the bound nothing is kept, with those that are being sent counted in."""
    sender = Sending()
    sender.is_silent = True
    outbox = _outbox(sender, waiting=5, batch=2)
    outbox.start()
    for name in "abcd":
        outbox.add(_span(name))
    await sender.until_tried(1)

    for name in "efgh":
        outbox.add(_span(name))

    assert 5 == outbox.waiting
    assert 3 == outbox.fates[Fate.DROPPED]
    await outbox.close(0)
    assert 5 == outbox.fates[Fate.LOST]
    assert 0 == outbox.waiting


async def test_passing_failure_is_tried_again() -> None:
    """A collector that starts anew loses nothing, and is spoken of once each way."""
    sender = Sending(PASSING, PASSING)
    outbox = _outbox(sender)
    with capture_logs() as logs:
        outbox.add(_span("a"))
        outbox.start()
        await sender.until_tried(3)
        await outbox.close(_SECONDS)

    assert [["a"]] == sender.sent
    assert ["tracing.lost", "tracing.back"] == [each["event"] for each in logs]
    assert {"sent": 1, "dropped": 0, "lost": 0, "refused": 0} == {
        fate.value: count for fate, count in outbox.fates.items()
    }


@pytest.mark.parametrize(
    ("problems", "tries"),
    [([PASSING] * 3, 3), ([FINAL], 1), ([ValueError("a defect")], 1)],
)
async def test_failure_that_stays_costs_one_batch(
    problems: list[Exception], tries: int
) -> None:
    """What cannot be sent is let go of, and the next is tried."""
    sender = Sending(*problems)
    outbox = _outbox(sender, batch=1)
    outbox.add(_span("a"))
    outbox.add(_span("b"))
    outbox.start()
    await sender.until_tried(tries + 1)
    await outbox.close(_SECONDS)

    assert [["b"]] == sender.sent
    assert 1 == outbox.fates[Fate.LOST]
    assert 1 == outbox.fates[Fate.SENT]


async def test_dead_collector_is_told_of_once() -> None:
    """However long it lasts, the log has one line, and the metric says it all along."""
    sender = Sending(*[FINAL] * 5)
    outbox = _outbox(sender, batch=1)
    with capture_logs() as logs:
        for name in "abcde":
            outbox.add(_span(name))
        outbox.start()
        await sender.until_tried(5)
        await outbox.close(_SECONDS)

    assert [("tracing.lost", "INVALID_ARGUMENT")] == [
        (each["event"], each["problem"]) for each in logs
    ]
    assert not outbox.is_well
    assert 5 == outbox.fates[Fate.LOST]


@pytest.mark.parametrize(("told", "refused"), [(0, 0), (2, 2), (7, 3), (-1, 0)])
async def test_refused_spans_are_counted(told: int, refused: int) -> None:
    """A collector may take a batch in part, and is not believed beyond it."""
    outbox = _outbox(Sending(refused=told))
    for name in "abc":
        outbox.add(_span(name))
    outbox.start()
    await outbox.close(_SECONDS)

    assert 3 - refused == outbox.fates[Fate.SENT]
    assert refused == outbox.fates[Fate.REFUSED]


async def test_closing_sends_what_was_under_way() -> None:
    """What a slow collector had not taken yet is offered once more at the end."""
    sender = Sending()
    sender.is_silent = True
    outbox = _outbox(sender, batch=2)
    for name in "abc":
        outbox.add(_span(name))
    outbox.start()
    await sender.until_tried(1)

    sender.is_silent = False
    await outbox.close(_SECONDS)

    assert [["a", "b"], ["c"]] == sender.sent


async def test_closing_gives_a_dead_collector_one_try() -> None:
    """Nobody waits for it: the rest is counted as lost."""
    sender = Sending(*[PASSING] * 10)
    outbox = _outbox(sender, batch=1)
    for name in "abc":
        outbox.add(_span(name))
    await outbox.close(_SECONDS)

    assert 1 == sender.tries
    assert 3 == outbox.fates[Fate.LOST]
    assert sender.is_closed
