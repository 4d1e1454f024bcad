"""The faults, and what is seen of each: a list for the tests and for the figures."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError

import asyncpg

from tests.store.faults.lab import CLOCK, DATABASE, Answer, Lab

# For how long a fault lasts at least, in seconds: twice the bound on staleness.
LASTS = 1.0

_LISTENER = """
select pid from pg_stat_activity
where datname = current_database()
    and query = 'select pg_catalog.pg_current_snapshot()::text'
"""

Step = Callable[[Lab], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and how it is mended; none: it passes by itself.

    While it lasts somebody revokes Ann's membership, unless the fault does not let
    anybody write: then right after it.
    """

    name: str
    strike: Step
    mend: Step | None = None
    lets_write: bool = True


@dataclass(frozen=True)
class Seen:
    """What a fault did. Times are in seconds.

    `meanwhile`: how much of the time while it lasted led to which answer.
    `staleness`: how long after the commit of the revocation a question was put that
    was still allowed. `recovery`: from the mending, or else from the fault, until
    memory answers again, and rightly. `longest`: the longest wait for an answer.
    `seldom`: what was answered then by a fact that nobody had asked for meanwhile.
    """

    fault: str
    meanwhile: Mapping[Answer, float]
    staleness: float
    recovery: float
    longest: float
    bobs: frozenset[Answer]
    seldom: Answer


async def suffer(lab: Lab, fault: Fault) -> Seen:
    """Lets a fault happen, and tells what was seen."""
    asker = lab.asker
    asker.longest = 0.0
    mended = CLOCK.monotonic()
    recovered = 0.0
    assert await lab.ask_seldom() is Answer.ALLOWED
    await fault.strike(lab)
    lasts_from = CLOCK.monotonic()
    asker.spent.clear()
    revoked = await lab.set_member(enabled=False) if fault.lets_write else None
    if fault.mend is None:
        recovered = await _recovered(lab)
    await asker.until(lambda: asker.last_asked > lasts_from + LASTS)
    meanwhile = dict(asker.spent)
    if fault.mend is not None:
        mended = CLOCK.monotonic()
        await fault.mend(lab)
    if revoked is None:
        revoked = await lab.set_member(enabled=False)
    recovered = recovered or await _recovered(lab)
    seldom = await lab.ask_seldom()
    # All is well only when what changes from now on is heard again.
    stale_until = asker.allowed_at
    await lab.set_member(enabled=True)
    await asker.until(lambda: lab.is_live and asker.last is Answer.ALLOWED)
    return Seen(
        fault.name,
        meanwhile,
        max(stale_until - revoked, 0.0),
        recovered - mended,
        asker.longest,
        frozenset(asker.bobs),
        seldom,
    )


async def _recovered(lab: Lab) -> float:
    await lab.asker.until(lambda: lab.is_live and lab.asker.last is Answer.DENIED)
    return CLOCK.monotonic()


async def _run(lab: Lab, *statements: str) -> None:
    connection = await asyncpg.connect(lab.node.url(DATABASE), timeout=5)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _listening(lab: Lab) -> int:
    connection = await asyncpg.connect(lab.node.url(DATABASE), timeout=5)
    try:
        # Now and then it is not asked where the history is, but for the triggers.
        async with asyncio.timeout(5):
            while (pid := await connection.fetchval(_LISTENER)) is None:
                continue
    finally:
        await connection.close()
    assert isinstance(pid, int)
    return pid


async def _terminate(lab: Lab) -> None:
    await _run(lab, f"select pg_terminate_backend({await _listening(lab)})")


# Whom a signal goes to: those that are stopped, until they go on.
_stopped: list[int] = []


async def _stop_listener(lab: Lab) -> None:
    _stopped.append(await _listening(lab))
    _send(signal.SIGSTOP)


async def _stop_all(lab: Lab) -> None:
    _stopped.extend(_processes(lab))
    _send(signal.SIGSTOP)


async def _continue(_: Lab) -> None:
    _send(signal.SIGCONT)
    _stopped.clear()


def _send(number: signal.Signals) -> None:
    for pid in _stopped:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _processes(lab: Lab) -> list[int]:
    first = (lab.node.folder / "postmaster.pid").read_text().splitlines()[0]
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    return [int(pid) for pid in (first, *children)]


async def kill(lab: Lab) -> None:
    """Kills every process of the server with -9."""
    _stopped.extend(_processes(lab))
    _send(signal.SIGKILL)
    _stopped.clear()


async def _start(lab: Lab) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await asyncio.to_thread(lab.node.start)
            except (AssertionError, CalledProcessError):
                # What the killed one left behind is still being taken away.
                continue
            return


async def _stop(lab: Lab) -> None:
    await asyncio.to_thread(lab.node.stop)


async def _drop_trigger(lab: Lab) -> None:
    await _run(lab, "drop trigger authz_watch_update on authz.principal_memberships")


async def _watch(lab: Lab) -> None:
    await _run(
        lab,
        """
        call authz.watch('authz.principal_memberships', 'member',
            'id, member_principal_id, parent_principal_id, role, enabled, deleted_at',
            'member_principal_id')
        """,
    )


def _network(change: Callable[[Lab], None]) -> Step:
    async def step(lab: Lab) -> None:
        change(lab)

    return step


_mend = _network(lambda lab: lab.proxy.mend())


FAULTS = (
    Fault("the listener's backend is terminated", _terminate),
    Fault("the listener's backend is stopped", _stop_listener, _continue),
    Fault("the connections are cut", _network(lambda lab: lab.proxy.cut())),
    Fault("the network is silent", _network(lambda lab: lab.proxy.swallow()), _mend),
    Fault(
        "the network takes 50 ms each way",
        _network(lambda lab: lab.proxy.delay(0.05)),
        _mend,
    ),
    Fault(
        "the network takes 400 ms each way",
        _network(lambda lab: lab.proxy.delay(0.4)),
        _mend,
    ),
    Fault(
        "the connections are half-closed", _network(lambda lab: lab.proxy.half_close())
    ),
    Fault("PostgreSQL is killed with -9", kill, _start, lets_write=False),
    Fault("PostgreSQL is stopped by SIGSTOP", _stop_all, _continue, lets_write=False),
    Fault("PostgreSQL is shut down and started", _stop, _start, lets_write=False),
    Fault("a trigger is dropped", _drop_trigger, _watch),
)
