"""Access tokens and keys through the whole server, on both engines.

Many short tests of one thing, which is what makes this long.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from authz.v1 import caller_pb2
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from sidecar.service.asking import Caller, PresentedToken
from sidecar.store.clock import SystemClock
from sidecar.transport.parse import (
    CallerParser,
    Callers,
    Limits,
    ListenerPolicy,
    parse_caller,
)
from sidecar.transport.status import RefusedError
from tests.identity.bad_tokens import (
    ALGORITHMS,
    BAD,
    KEYS,
    OTHER,
    OTHER_ISSUER,
    OTHER_KEYS,
    RSA,
    good,
)
from tests.identity.key_server import KeyServer, answering, key_server
from tests.identity.minting import AUDIENCE, ISSUER, claims
from tests.support.serving import ENGINES, Place, Schema, Serving, Stage

TENANCY = Place(Schema.REFERENCE, "tenancy")
KEY = "key_annacme_0123456789abcdef0123456789abcdef"
NOBODY = {"status": "UNAUTHENTICATED", "reason": "INVALID_CREDENTIAL"}
TOO_LONG = {"status": "INVALID_ARGUMENT", "reason": "MALFORMED_FIELD"}
AWAY = {"status": "UNAVAILABLE", "reason": "FACTS_UNAVAILABLE"}
BOTH = pytest.mark.parametrize("engine", ENGINES)


@dataclass
class Town:
    """A sidecar that believes two issuers, its database, and the second's server."""

    serving: Serving
    url: str
    server: KeyServer

    async def who(self, engine: str, token: str) -> object:
        """The user of a token, or the status."""
        return await self.ask(engine, {"access_token": token})

    async def ask(self, engine: str, caller: dict[str, object]) -> object:
        """The user whom a caller is, or the status."""
        answer = await self.serving.ask(engine, "ResolveContext", {"caller": caller})
        context = answer.get("context")
        return context["user_id"] if isinstance(context, dict) else answer

    def cost(self, operation: str) -> float:
        """How many operations there have been."""
        found = self.serving.sidecar.metrics.registry.get_sample_value(
            "authz_credential_operations_total", {"operation": operation}
        )
        assert found is not None
        return found

    async def execute(self, sql: str) -> None:
        """Changes the database."""
        connection = await asyncpg.connect(self.url)
        await connection.execute(sql)
        await connection.close()


@pytest.fixture(scope="session")
async def town(
    stage: Stage, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    """One for the tests that leave it as it was."""
    async with key_server(
        tmp_path_factory.mktemp("keys"), answering(OTHER_KEYS)
    ) as server:
        yield await settle(stage, server)


async def settle(stage: Stage, server: KeyServer) -> Town:
    """A sidecar over a database of its own."""
    url = await stage.stored(TENANCY)
    file = server.ca_file.parent / "keys.json"
    file.write_bytes(KEYS)
    common = {
        "audiences": [AUDIENCE],
        "algorithms": list(ALGORITHMS),
        "leeway_seconds": 30,
    }
    issuers = [
        {"issuer": ISSUER, "jwks_file": str(file), **common},
        {
            "issuer": OTHER_ISSUER,
            "jwks_url": server.url,
            "ca_file": str(server.ca_file),
            **common,
        },
    ]
    serving = await stage.start(url, identity={"issuers": issuers})
    return Town(serving, url, server)


def now() -> int:
    """Seconds since 1970."""
    return int(SystemClock().wall())


@BOTH
async def test_token_is_its_user(town: Town, engine: str) -> None:
    """A token of either issuer is the user whom `user_identities` names."""
    first = await town.who(engine, good(now()))
    second = await town.who(engine, OTHER.token(claims(now(), iss=OTHER_ISSUER)))

    assert ("2", "5") == (first, second)


@BOTH
async def test_every_bad_token_gets_the_same_answer(town: Town, engine: str) -> None:
    """Each bad token is answered as an unknown API key is; one is too long to be."""
    assert NOBODY == await town.ask(engine, {"api_key": "key_nobody_x"})

    wanted = dict.fromkeys(BAD, NOBODY) | {"huge": TOO_LONG}
    assert wanted == {
        name: await town.who(engine, mint(now())) for name, mint in BAD.items()
    }


@BOTH
async def test_token_of_an_unfit_user_is_bad(town: Town, engine: str) -> None:
    """A right token of a user who is not active is as bad as any."""
    assert NOBODY == await town.who(engine, RSA.token(claims(now(), sub="eve")))


@BOTH
async def test_checks_carry_a_bad_token_as_a_decision(town: Town, engine: str) -> None:
    """A call that answers with decisions denies each resource."""
    request = {
        "caller": {"access_token": BAD["expired"](now())},
        "resources": [{"kind": "cluster", "id": "501"}],
    }

    actual = await town.serving.ask(engine, "CheckVisible", request)

    denied = {"denial": "UNAUTHENTICATED", "reason": "INVALID_CREDENTIAL"}
    assert {"decisions": [denied]} == without_false(actual)


def without_false(answer: object) -> object:
    """An answer without what is false, however that is written."""
    return json.loads(
        json.dumps(answer),
        object_hook=lambda pairs: {
            name: value for name, value in pairs.items() if value is not False
        },
    )


@BOTH
async def test_thousand_calls_cost_one_signature(town: Town, engine: str) -> None:
    """A thousand calls with one token: one signature, counted."""
    token = RSA.token(claims(now(), jti=engine))
    before = town.cost("signature")

    answers = {str(await town.who(engine, token)) for _ in range(1000)}

    assert {"2"} == answers
    assert 1 == town.cost("signature") - before


@BOTH
async def test_thousand_calls_cost_one_hash(
    stage: Stage, town: Town, engine: str
) -> None:
    """A thousand calls with one key: one comparison with the stored hash, counted."""
    fresh = await settle(stage, town.server)

    answers = {str(await fresh.ask(engine, {"api_key": KEY})) for _ in range(1000)}

    assert {"2"} == answers
    assert 1 == fresh.cost("hash")
    assert 0 == fresh.cost("slow_hash")


@BOTH
async def test_revoked_key_is_forgotten_when_the_feed_says_so(
    stage: Stage, town: Town, engine: str
) -> None:
    """A remembered key ends when its row does, without waiting for its minute."""
    fresh = await settle(stage, town.server)
    before = await fresh.ask(engine, {"api_key": KEY})
    await fresh.execute("update authz.api_keys set revoked_at = now()")
    async with asyncio.timeout(10):
        while (after := await fresh.ask(engine, {"api_key": KEY})) == before:
            pass

    assert ("2", NOBODY) == (before, after)


@BOTH
async def test_moved_identity_is_another_user(
    stage: Stage, town: Town, engine: str
) -> None:
    """A remembered token is whoever its subject is now."""
    fresh = await settle(stage, town.server)
    token = good(now())
    before = await fresh.who(engine, token)
    await fresh.execute(
        "update authz.user_identities set user_id = 5"
        " where issuer = 'https://login.example' and subject = 'ann'"
    )
    async with asyncio.timeout(10):
        while (after := await fresh.who(engine, token)) == before:
            pass

    assert ("2", "5") == (before, after)


@BOTH
async def test_unreachable_keys_are_no_denial(
    stage: Stage, tmp_path: Path, engine: str
) -> None:
    """Without keys a start succeeds, health says so, and tokens are undecided."""
    async with key_server(tmp_path, answering(b"", "500 Oh")) as server:
        fresh = await settle(stage, server)
        token = OTHER.token(claims(now(), iss=OTHER_ISSUER))
        away = await fresh.who(engine, token)
        unhealthy = await health(fresh, "keys")
        server.behave = answering(OTHER_KEYS)
        async with asyncio.timeout(20):
            # Nobody asks with a token meanwhile: the keys are looked after anyway.
            while not await health(fresh, "keys"):
                pass
        found = await fresh.who(engine, token)

    assert (AWAY, False, "5") == (away, unhealthy, found)


async def health(town: Town, component: str) -> bool:
    """Whether a component is well."""
    async with aio.insecure_channel(town.serving.sidecar.addresses[0]) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        actual = await stub.Check(health_pb2.HealthCheckRequest(service=component))
    return bool(health_pb2.HealthCheckResponse.SERVING == actual.status)


@pytest.mark.parametrize("callers", Callers)
def test_listeners_of_both_kinds_take_tokens(callers: Callers) -> None:
    """Also a listener that believes credentials only."""
    message = caller_pb2.Caller(access_token="a.b.c", organization_id="20")  # noqa: S106  an example

    actual = parse_caller(message, ListenerPolicy(callers))

    assert Caller(PresentedToken("a.b.c"), "20") == actual


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (caller_pb2.Caller(access_token=""), "caller.access_token"),
        (caller_pb2.Caller(access_token="x" * 17), "caller.access_token"),
        (
            caller_pb2.Caller(access_token="a.b.c", pinned_principal_id="20"),  # noqa: S106  an example
            "caller.pinned_principal_id",
        ),
    ],
)
def test_malformed_token_names_its_field(
    message: caller_pb2.Caller, field: str
) -> None:
    """An empty token, one that is too long, and a pin beside it are refused."""
    policy = ListenerPolicy(limits=Limits(credential_bytes=16))

    with pytest.raises(RefusedError) as caught:
        parse_caller(message, policy)

    assert field == caught.value.field


def test_presented_credentials_are_not_kept() -> None:
    """The parser remembers names and no credential, and neither is in a text."""
    parser = CallerParser(ListenerPolicy())
    secret = "a.very-secret.token"  # noqa: S105  an example
    parsed = [
        parser.parse(caller_pb2.Caller(access_token=secret)),
        parser.parse(caller_pb2.Caller(api_key=secret)),
    ]

    assert {} == parser._remembered
    assert secret not in repr(parsed)


@BOTH
async def test_token_without_an_organization_names_no_instance(
    town: Town, engine: str
) -> None:
    """A token is pinned to nothing, so an instance needs an organization."""
    request = {
        "caller": {"access_token": good(now())},
        "queries": [{"context": "UI", "feature_instance_id": "1"}],
    }

    assert TOO_LONG == await town.serving.ask(engine, "GetPermissions", request)
