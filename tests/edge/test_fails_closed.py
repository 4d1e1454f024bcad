"""Fails closed: nothing that goes wrong ends in code 0, whatever it is."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import grpc
import pytest

from sidecar.core.decision import Denied
from sidecar.core.reasons import Denial, Reason
from sidecar.edge.admission import Admission
from sidecar.edge.verdict import Admitted, Refused, Shadowed, Verdict, Where
from sidecar.ports import FactsUnavailableError, OverloadedError, UserKey
from sidecar.store.embedded import EmbeddedPostgres
from sidecar.transport import ext_authz
from sidecar.transport.envoy import external_auth_pb2 as envoy
from tests.edge.checking import Checking, checking
from tests.edge.making import request
from tests.support.edge import ANN, ROUTES
from tests.support.serving import ENGINES

KNOWN: Final = {"x-api-key": ANN, "x-organization-id": "1"}
GOOD: Final = request("/clusters/1", KNOWN)


@pytest.mark.parametrize("engine", ENGINES)
async def test_the_good_request_is_allowed(checked: Checking, engine: str) -> None:
    """What the others break is good before, or they would prove nothing."""
    assert "allowed" == await checked.ended(engine, GOOD)


# An exception in the handler


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (RuntimeError("the secret of it"), "INTERNAL INTERNAL"),
        (AssertionError(), "INTERNAL INTERNAL"),
        (KeyError("x"), "INTERNAL INTERNAL"),
        (RecursionError(), "INTERNAL INTERNAL"),
        (MemoryError(), "INTERNAL INTERNAL"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), "INTERNAL INTERNAL"),
        (OSError(), "INTERNAL INTERNAL"),
        (StopIteration(), "INTERNAL INTERNAL"),
        (FactsUnavailableError(), "UNAVAILABLE FACTS_UNAVAILABLE"),
        (OverloadedError(), "RESOURCE_EXHAUSTED OVERLOADED"),
        (TimeoutError(), "INTERNAL INTERNAL"),
        # What the judge waited for was cancelled, not the call.
        (asyncio.CancelledError(), "INTERNAL INTERNAL"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("waits", [False, True])
async def test_exception_while_judging(  # noqa: PLR0913, PLR0917  fixtures and columns
    checked: Checking,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    error: BaseException,
    wanted: str,
    waits: bool,  # noqa: FBT001  a column
) -> None:
    """Whatever the judge raises, at once or after waiting, ends the call with it."""

    async def judge(*_: object) -> Verdict:
        if waits:
            await asyncio.sleep(0)
        raise error

    monkeypatch.setattr(Admission, "judge", judge)
    if waits and isinstance(error, TimeoutError):
        wanted = "DEADLINE_EXCEEDED DEADLINE_TOO_NEAR"

    # To tell a defect in full in the log takes a while where much else runs.
    assert wanted == await checked.ended(engine, GOOD, 30)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("verdict", [None, True, "", 0, envoy.CheckResponse()])
async def test_no_verdict(
    checked: Checking,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    verdict: object,
) -> None:
    """What is no verdict becomes no response, though it may look like a good one."""

    async def judge(*_: object) -> object:
        return verdict

    monkeypatch.setattr(Admission, "judge", judge)

    assert "INTERNAL INTERNAL" == await checked.ended(engine, GOOD)


# An exception while the response is built


_UNKNOWN = Denied(Denial.NOT_FOUND, Reason.OWNED)
_FORBIDDEN = Denied(Denial.FORBIDDEN, Reason.NO_ROUTE)
_BROKEN: list[tuple[type, tuple[object, ...]]] = [
    (Admitted, (Where(), object())),
    (Admitted, (None, None)),
    (Admitted, (Where("\ud800"), None)),
    (Admitted, (Where(route=7), None)),  # type: ignore[arg-type]  # on purpose
    (Refused, (Where(), _UNKNOWN, {})),
    (Refused, (Where(), None, {})),
    (Refused, (Where(), _FORBIDDEN, None)),
    (Refused, (Where(), _FORBIDDEN, {"vary": None})),
    (Shadowed, (Where(), None)),
    (Shadowed, (Where(), Refused(Where(), _UNKNOWN, {}))),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("kind", "parts"), _BROKEN)
async def test_exception_while_the_response_is_built(
    checked: Checking,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    kind: type[Verdict],
    parts: tuple[object, ...],
) -> None:
    """A response of a broken verdict is half made, and never sent."""

    async def judge(*_: object) -> Verdict:
        return kind(*parts)  # type: ignore[arg-type]  # on purpose

    monkeypatch.setattr(Admission, "judge", judge)

    assert "INTERNAL INTERNAL" == await checked.ended(engine, GOOD)


@pytest.mark.parametrize("engine", ENGINES)
async def test_no_response(
    checked: Checking, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    """A handler that gives nothing does not give an empty response, which allows."""
    monkeypatch.setattr(ext_authz, "respond", lambda *_: None)

    assert "INTERNAL INTERNAL" == await checked.ended(engine, GOOD)


# The deadline is gone, or too near


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("seconds", [0.000_001, 0.001, 0.004])
async def test_deadline_gone_or_too_near(
    own_url: str, engine: str, seconds: float
) -> None:
    """Too late is an error, and with too little left no fact is read."""
    async with checking(own_url, ROUTES) as own:
        ended = {await own.ended(engine, GOOD, seconds) for _ in range(5)}
        loads = own.sidecar.store.cache_stats()[UserKey].loads

    assert {"DEADLINE_EXCEEDED"} == {each.split()[0] for each in ended}
    assert 0 == loads


@pytest.mark.parametrize("engine", ENGINES)
async def test_deadline_passes_while_facts_are_read(own_url: str, engine: str) -> None:
    """A reading that does not come back ends the call, also where nobody set a time."""
    default = {"routes_file": str(ROUTES)}
    async with checking(own_url, ROUTES, edge=default) as own:
        async with _locked(own_url, "api_keys"):
            began = time.monotonic()
            assert (await own.ended(engine, GOOD, None)).split()[0] in _LATE
            took = time.monotonic() - began
            assert (await own.ended(engine, GOOD, 0.05)).split()[0] in _LATE

        assert 0.15 <= took < 5
        assert "allowed" == await own.ended(engine, GOOD)


_LATE = {"DEADLINE_EXCEEDED", "UNAVAILABLE"}


@asynccontextmanager
async def _locked(url: str, relation: str) -> AsyncIterator[None]:
    """Whoever reads the relation waits."""
    connection = await asyncpg.connect(url)
    await connection.execute("begin")
    await connection.execute(f"lock table authz.{relation} in access exclusive mode")
    try:
        yield
    finally:
        await connection.close()


# The client cancels


@pytest.mark.parametrize("engine", ENGINES)
async def test_client_cancels(own_url: str, engine: str) -> None:
    """A call that is left ends as cancelled, and what it began harms no other."""
    async with checking(own_url, ROUTES) as own:
        async with _locked(own_url, "api_keys"):
            call = own.call(engine, GOOD)
            await _until(lambda: own.sidecar.store.pool_stats().asking > 0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await _until(lambda: _calls(own, "CANCELLED") == 1)

        assert grpc.StatusCode.CANCELLED is await call.code()
        assert 0 == _calls(own, "OK")
        assert "allowed" == await own.ended(engine, GOOD)


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.005)


def _calls(own: Checking, code: str) -> int:
    labels = {"rpc": "ext_authz.Check", "code": code, "reason": ""}
    value = own.sidecar.metrics.registry.get_sample_value("authz_calls_total", labels)
    return int(value or 0)


# The database is away


@pytest.mark.parametrize("engine", ENGINES)
async def test_database_away_beyond_staleness(
    own_url: str, postgres: EmbeddedPostgres, engine: str
) -> None:
    """What memory may not answer any more is not answered, also when it was good."""
    freshness = {"max_staleness": 0.5, "beat_interval": 0.1}
    async with checking(own_url, ROUTES, freshness=freshness) as own:
        assert "allowed" == await own.ended(engine, GOOD)
        await _cut_off(postgres, own_url)
        ended = await own.ended(engine, GOOD)
        async with asyncio.timeout(10):
            while ended == "allowed":
                ended = await own.ended(engine, GOOD)
        public = await own.ended(engine, request("/healthz"))

    assert "UNAVAILABLE FACTS_UNAVAILABLE" == ended
    assert "allowed" == public


async def _cut_off(postgres: EmbeddedPostgres, url: str) -> None:
    connection = await asyncpg.connect(url)
    name = await connection.fetchval("select current_database()")
    await connection.close()
    root = await asyncpg.connect(postgres.url())
    await root.execute(f"alter database {name} with allow_connections false")
    await root.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1",
        name,
    )
    await root.close()
