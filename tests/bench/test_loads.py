import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.parts.cores import started
from bench.parts.loads import Schedule, Spread, Target, each_once, opened
from bench.parts.servers import Echo, echo
from bench.parts.wire import CallFailedError, ask, prefixed


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Echo]:
    """A bare echo that serves."""
    with echo(tmp_path_factory.mktemp("echo")) as running:
        yield running


def question(size: int) -> bytes:
    """A question to the echo, to be answered with so many bytes."""
    return prefixed(struct.pack(">I", size))


def test_each_percentile_was_seen() -> None:
    """A percentile is a time that a call took, by nearest rank."""
    hundred = [float(each) for each in range(1, 101)]

    assert Spread(50, 90, 99, 100) == Spread.of(hundred[::-1])
    assert Spread(1, 2, 2, 2) == Spread.of([2.0, 1.0])
    assert Spread(7, 7, 7, 7) == Spread.of([7.0])


@pytest.mark.parametrize("size", [0, 1, 16_384, 16_385, 300_000])
def test_the_client_gets_whole_messages(bare: Echo, size: int) -> None:
    """An answer is put together from its frames."""
    assert bytes(size) == ask(bare.address, bare.target.method, question(size))


def test_the_client_sends_more_than_a_window(bare: Echo) -> None:
    """What the server has no room for yet waits, and loses nothing."""
    body = prefixed(struct.pack(">I", 3) + bytes(60_000))

    run = each_once(bare.target, [body] * 50, at_once=10)

    assert (50, 0) == (run.calls, run.failed)


def test_the_client_tells_what_was_refused(bare: Echo) -> None:
    """A call that ends with another status than OK has failed."""
    nobodys = Target(bare.address, "/bench.Echo/Nobodys")

    assert 3 == each_once(nobodys, [question(1)] * 3).failed
    with pytest.raises(CallFailedError, match="was refused: status 12"):
        ask(bare.address, nobodys.method, question(1))


def test_each_body_is_asked_once(bare: Echo) -> None:
    """As many calls as bodies, over however many connections."""
    run = each_once(bare.target, [question(5)] * 101, at_once=7, connections=3)

    assert (101, 0) == (run.calls, run.failed)


def test_an_open_loop_keeps_its_schedule(bare: Echo) -> None:
    """As many calls as wished for are sent, no faster than they are due."""
    run = opened(bare.target, [question(5)], Schedule(500, 100, rests=True))

    assert (100, 0) == (run.calls, run.failed)
    assert run.rate <= 510


def test_an_open_loop_counts_from_when_a_call_was_due(bare: Echo) -> None:
    """What cannot be sent in time is late from its due time on."""
    # All are due at once, so the one that ends last took as long as all together.
    run = opened(bare.target, [question(5)], Schedule(1e9, 2_000))

    assert pytest.approx(run.calls / run.rate, rel=0.001) == run.spread.most


def test_memory_and_processor_are_read(tmp_path: Path) -> None:
    """A process has memory, at no time more than its peak, and time on a processor."""
    command = ("python3", "-c", "print(sum(range(3_000_000)), flush=True); input()")
    log = tmp_path / "log"
    with started(command, log, lambda: bool(log.read_bytes())) as running:
        memory = running.memory()
        spent = running.processor_seconds()

    assert 0 < memory.proportional <= memory.resident <= memory.peak
    assert spent > 0
