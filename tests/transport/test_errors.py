"""How calls end that are not answered, on both engines."""

import asyncio
import logging

import grpc
import pytest
from authz.v1 import authorization_service_pb2 as api
from authz.v1.caller_pb2 import Caller
from authz.v1.resource_pb2 import Resource
from grpc import aio

from sidecar.service.resolving import Resolver
from tests.support.serving import (
    ENGINES,
    Place,
    Refusal,
    Schema,
    Serving,
    Stage,
    refusal,
)

TENANCY = Place(Schema.REFERENCE, "tenancy")
CHECK = "/authz.v1.AuthorizationService/CheckVisible"


def question() -> api.CheckVisibleRequest:
    """Whether Ann sees a cluster of her organization."""
    return api.CheckVisibleRequest(
        caller=Caller(user_id="2", organization_id="20"),
        resources=[Resource(kind="cluster", id="501")],
    )


def raw(
    channel: aio.Channel, method: str
) -> "aio.UnaryUnaryMultiCallable[bytes, bytes]":
    """A method that takes and gives bytes."""
    return channel.unary_unary(
        method, request_serializer=bytes, response_deserializer=bytes
    )


async def refused(serving: Serving, engine: str, data: bytes) -> Refusal:
    """The refusal of a raw message to CheckVisible."""
    address = serving.sidecar.addresses[ENGINES.index(engine)]
    async with aio.insecure_channel(address) as channel:
        call = raw(channel, CHECK)
        with pytest.raises(aio.AioRpcError) as caught:
            await call(data, timeout=10)
    return refusal(caught.value)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("data", [b"\xff", b"\x0a\xff", b"\x0a\x02\x0a\xff", b"\x00"])
async def test_undecodable_message_is_the_clients_error(
    stage: Stage, caplog: pytest.LogCaptureFixture, engine: str, data: bytes
) -> None:
    """Bytes that are no message are INVALID_ARGUMENT, and no crash in the log."""
    serving = await stage.shared(TENANCY)

    with caplog.at_level(logging.WARNING):
        actual = await refused(serving, engine, data)

    assert ("INVALID_ARGUMENT", "MALFORMED_MESSAGE") == (actual.code, actual.reason)
    assert [] == caplog.records


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("deadline", [10.0, None], ids=["deadline", "none"])
async def test_a_cancelled_part_of_a_call_is_a_defect_and_no_silence(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    deadline: float | None,
) -> None:
    """Only a call that is cancelled itself ends as such; its client gets an answer."""

    async def resolve(*_: object) -> None:
        task = asyncio.create_task(asyncio.Event().wait())
        task.cancel()
        await task

    serving = await stage.shared(TENANCY)
    monkeypatch.setattr(Resolver, "resolve", resolve)
    call = serving.stub(engine).CheckVisible(question(), timeout=deadline)
    async with asyncio.timeout(10):
        with pytest.raises(aio.AioRpcError) as caught:
            await call

    assert "INTERNAL" == caught.value.code().name
    assert "INTERNAL" == refusal(caught.value).reason


@pytest.mark.parametrize("engine", ENGINES)
async def test_bad_field_is_named_in_the_details(stage: Stage, engine: str) -> None:
    """INVALID_ARGUMENT carries the reason, and BadRequest the field's path."""
    serving = await stage.shared(TENANCY)
    request = question()
    request.resources.add(kind="cluster", id="")

    actual = await refused(serving, engine, request.SerializeToString())

    wanted = Refusal(
        "INVALID_ARGUMENT",
        "`resources[1].id` must not be empty",
        "MALFORMED_FIELD",
        "resources[1].id",
        retries=False,
    )
    assert wanted == actual


@pytest.mark.parametrize("engine", ENGINES)
async def test_denial_without_a_decision_is_a_status(stage: Stage, engine: str) -> None:
    """A context that does not resolve ends ResolveContext with its status."""
    serving = await stage.shared(TENANCY)
    request = {"caller": {"user_id": "5", "organization_id": "20"}}

    actual = await serving.ask(engine, "ResolveContext", request)

    assert {"status": "PERMISSION_DENIED", "reason": "NOT_A_MEMBER"} == actual


@pytest.mark.parametrize("engine", ENGINES)
async def test_unknown_method_is_unimplemented(stage: Stage, engine: str) -> None:
    """A method that the service does not have is UNIMPLEMENTED."""
    serving = await stage.shared(TENANCY)
    address = serving.sidecar.addresses[ENGINES.index(engine)]

    async with aio.insecure_channel(address) as channel:
        call = raw(channel, "/authz.v1.AuthorizationService/Nothing")
        with pytest.raises(aio.AioRpcError) as caught:
            await call(b"", timeout=10)

    assert grpc.StatusCode.UNIMPLEMENTED is caught.value.code()


@pytest.mark.parametrize("engine", ENGINES)
async def test_oversized_message_is_refused(stage: Stage, engine: str) -> None:
    """More than the limit of a message is RESOURCE_EXHAUSTED before any work."""
    serving = await stage.shared(TENANCY)
    address = serving.sidecar.addresses[ENGINES.index(engine)]

    async with aio.insecure_channel(address) as channel:
        call = raw(channel, CHECK)
        with pytest.raises(aio.AioRpcError) as caught:
            await call(b"\0" * (4 * 1024 * 1024 + 1), timeout=10)

    assert grpc.StatusCode.RESOURCE_EXHAUSTED is caught.value.code()


@pytest.mark.parametrize("engine", ENGINES)
async def test_database_away_is_unavailable_and_says_nothing_of_it(
    stage: Stage, engine: str
) -> None:
    """What cannot be read is UNAVAILABLE with a wish to retry, never a denial."""
    url = await stage.stored(TENANCY)
    serving = await stage.start(url)
    await serving.sidecar.store._reader.database.close()

    actual = await refused(serving, engine, question().SerializeToString())

    wanted = Refusal(
        "UNAVAILABLE",
        "could not decide: the facts cannot be read",
        "FACTS_UNAVAILABLE",
        None,
        retries=True,
    )
    assert wanted == actual


@pytest.mark.parametrize("engine", ENGINES)
async def test_defect_is_internal_and_not_told(stage: Stage, engine: str) -> None:
    """An exception that nobody expected is INTERNAL, without its text."""
    url = await stage.stored(TENANCY)
    serving = await stage.start(url)

    def fail(*_: object) -> None:
        raise RuntimeError("the secret of it")

    serving.sidecar.store.open = fail  # type: ignore[assignment,method-assign]

    actual = await refused(serving, engine, question().SerializeToString())

    assert ("INTERNAL", "INTERNAL") == (actual.code, actual.reason)
    assert "secret" not in actual.message
