"""Fails closed, where it cannot be found out who calls."""

import asyncio
from pathlib import Path
from typing import Final

import asyncpg
import pytest

from tests.edge.checking import checking
from tests.edge.making import request
from tests.identity.minting import ISSUER, claims, signer
from tests.support.edge import ANN, ROUTES
from tests.support.serving import ENGINES

GOOD: Final = request("/clusters/1", {"x-api-key": ANN, "x-organization-id": "1"})


@pytest.mark.parametrize("engine", ENGINES)
async def test_key_set_unreachable(own_url: str, tmp_path: Path, engine: str) -> None:
    """A token that nobody can check is no bad one, nor a good one; others still are."""
    issuer = {"issuer": ISSUER, "audiences": ["gpu-cloud"], "algorithms": ["EdDSA"]}
    absent = {**issuer, "jwks_file": str(tmp_path / "absent.json")}
    expired = signer("EdDSA").token(claims())
    good = signer("EdDSA").token(claims(exp=4_000_000_000))
    async with checking(own_url, ROUTES, identity={"issuers": [absent]}) as own:

        async def ended(text: str) -> str:
            headers = {"authorization": f"Bearer {text}"}
            return await own.ended(engine, request("/me", headers))

        assert "UNAVAILABLE FACTS_UNAVAILABLE" == await ended(good)
        assert "401 INVALID_CREDENTIAL" == await ended(expired)
        assert "401 INVALID_CREDENTIAL" == await ended(f"{good}x")
        assert "401 INVALID_CREDENTIAL" == await ended("a.b.c")
        assert "allowed" == await own.ended(engine, GOOD)


@pytest.mark.parametrize("engine", ENGINES)
async def test_too_many_slow_hashes(own_url: str, engine: str) -> None:
    """Who floods the sidecar with slow keys is turned away, and never let in."""
    connection = await asyncpg.connect(own_url)
    await connection.execute(
        "insert into authz.api_keys (id, user_id, lookup_id, secret_hash)"
        " select 100 + n, 1, 'slow' || n, $1 from generate_series(1, 20) n",
        _ARGON2,
    )
    await connection.close()
    async with checking(own_url, ROUTES) as own:
        wrong = [request("/me", {"x-api-key": f"gpk_slow{n}_x"}) for n in range(1, 21)]
        ended = await asyncio.gather(*(own.ended(engine, each) for each in wrong))
        good = await own.ended(engine, GOOD)

    assert {"RESOURCE_EXHAUSTED OVERLOADED", "401 INVALID_CREDENTIAL"} == set(ended)
    assert "allowed" == good


# Of no secret in particular, and slow enough to be many at once.
_ARGON2 = (
    "$argon2id$v=19$m=65536,t=3,p=4$MTIzNDU2Nzg5MDEyMzQ1Ng"
    "$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY"
)
