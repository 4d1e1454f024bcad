"""Which listeners serve `Watch`, by their settings."""

import pytest
from authz.v1 import authorization_service_pb2 as api
from grpc import aio

from sidecar.settings import Settings
from sidecar.transport.listener import ListenerError, Serves
from sidecar.wiring_listeners import listener_of
from tests.support.serving import ENGINES, Place, Schema, Stage, refusal
from tests.transport.watching import Stream

TENANCY = Place(Schema.REFERENCE, "tenancy")


@pytest.mark.parametrize("engine", ENGINES)
async def test_not_served_unless_the_listener_allows_it(
    stage: Stage, engine: str
) -> None:
    """A listener without it refuses it, and tells no position."""
    serving = await stage.shared(TENANCY)
    with pytest.raises(aio.AioRpcError) as caught:
        await Stream.of(serving.stub(engine)).next()
    info = await serving.stub(engine).GetServerInfo(api.GetServerInfoRequest())

    actual = refusal(caught.value)
    assert ("UNIMPLEMENTED", "NOT_SERVED_HERE") == (actual.code, actual.reason)
    assert not info.HasField("position")


def of(**listener: object) -> frozenset[Serves]:
    """What a listener with these settings serves."""
    settings = Settings.model_validate({"listeners": [listener]})
    return listener_of(settings.listeners[0], settings).serves


def test_served_by_default_to_those_who_are_believed() -> None:
    """Strangers with credentials are not shown the keys of all tenants."""
    assert Serves.WATCH in of()
    assert Serves.WATCH not in of(callers="credentials")
    assert Serves.WATCH not in of(services=["api"])


@pytest.mark.parametrize(
    ("listener", "why"),
    [
        ({"services": ["api", "watch"], "callers": "credentials"}, "of all tenants"),
        ({"services": ["health", "watch"]}, "without `api`"),
    ],
)
def test_where_it_cannot_be_served_the_start_is_refused(
    listener: dict[str, object], why: str
) -> None:
    """Named for strangers, or without the API, it is a mistake that is told."""
    with pytest.raises(ListenerError, match=why):
        of(**listener)
