"""Access tokens: good ones are their users, every bad one is nobody."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.core.ids import UserId
from sidecar.identity.access_tokens import AccessTokens
from sidecar.identity.work import Work
from sidecar.ports import Authenticated, FactsUnavailableError
from tests.identity.bad_tokens import (
    BAD,
    EC,
    EDWARDS,
    LEEWAY,
    OTHER,
    OTHER_ISSUER,
    RSA,
    STRANGER,
    Mint,
    good,
)
from tests.identity.held import FACTS, Desk
from tests.identity.minting import (
    AUDIENCE,
    NOW,
    Json,
    Signer,
    claims,
    key_set,
    signer,
)
from tests.support.pipeline import ManualClock

GOOD: dict[str, str] = {
    "rs256": RSA.token(claims()),
    "ps256": Signer("RS256", "PS256", RSA.private).token(claims()),
    "es256": EC.token(claims()),
    "eddsa": EDWARDS.token(claims()),
    "without typ": RSA.token(claims(), typ=None),
    "typ of an access token": RSA.token(claims(), typ="at+JWT"),
    "without kid, one key fits": RSA.token(claims(), kid=None),
    "audience among others": RSA.token(claims(aud=["others", AUDIENCE])),
    "within nbf": RSA.token(claims(nbf=NOW)),
    "nbf at the edge of the leeway": RSA.token(claims(nbf=NOW + LEEWAY)),
    "exp at the edge of the leeway": RSA.token(claims(exp=NOW - LEEWAY + 1)),
    "without iat": RSA.token(claims(iat=None)),
    "other claims and headers": RSA.token(claims(jti="1", x=[1.5]), x5t="AAAA"),
}


@pytest.mark.parametrize("token", GOOD.values(), ids=GOOD)
async def test_good_token_is_its_user(token: str) -> None:
    """A token that breaks no rule is the user of its issuer and subject, unpinned."""
    desk = await Desk.open()

    actual = await desk.tokens.verify(token, FACTS)

    assert Authenticated(UserId("1"), None) == actual


async def test_subject_belongs_to_its_issuer() -> None:
    """The same subject at another issuer is another user."""
    desk = await Desk.open()

    actual = await desk.user(OTHER.token(claims(iss=OTHER_ISSUER)))

    assert "2" == actual


@pytest.mark.parametrize("mint", BAD.values(), ids=BAD)
async def test_bad_token_is_nobody(mint: Mint) -> None:
    """Whatever is wrong with a token, whoever presents it is nobody."""
    desk = await Desk.open()

    assert await desk.user(mint(NOW)) is None


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"exp": NOW - LEEWAY}, None),
        ({"exp": NOW - LEEWAY + 1}, "1"),
        ({"nbf": NOW + LEEWAY}, "1"),
        ({"nbf": NOW + LEEWAY + 1}, None),
    ],
)
async def test_leeway_ends_exactly(changed: dict[str, int], wanted: str | None) -> None:
    """The leeway stretches both ends by its seconds and not by one more."""
    desk = await Desk.open()

    assert wanted == await desk.user(RSA.token(claims(**changed)))


@pytest.mark.parametrize(
    ("claim", "wanted"),
    [("7", "7"), (7, None), (None, None), ("", None), (["7"], None), ("7\n", None)],
)
async def test_claim_can_be_the_user_id(claim: Json, wanted: str | None) -> None:
    """With a configured claim its text is the id; without it there is no other way."""
    desk = await Desk.open(user_id_claim="gpu_user")

    assert wanted == await desk.user(RSA.token(claims(gpu_user=claim)))


@pytest.mark.parametrize("length", range(0, 400, 7))
async def test_cut_token_is_nobody(length: int) -> None:
    """A token that lost its end, anywhere, is nobody's."""
    desk = await Desk.open()
    token = good(NOW)

    assert await desk.user(token[:length]) is None


@pytest.mark.parametrize("position", range(0, 500, 11))
async def test_altered_token_is_nobody(position: int) -> None:
    """A token with another character, anywhere, is nobody's."""
    desk = await Desk.open()
    token = good(NOW)
    position %= len(token)
    other = "A" if token[position] != "A" else "B"

    assert await desk.user(token[:position] + other + token[position + 1 :]) is None


@given(text=st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_text_is_nobody(text: str) -> None:
    """Nothing that somebody writes makes an error."""

    async def ask() -> Authenticated | None:
        tokens = AccessTokens([], ManualClock(), Work(), 100)
        return await tokens.verify(text, FACTS)

    assert asyncio.run(ask()) is None


async def test_thousand_requests_cost_one_signature() -> None:
    """A token that verified is remembered: a thousand requests, one signature."""
    desk = await Desk.open()
    token = good(NOW)

    answers = [await desk.user(token) for _ in range(1000)]

    assert ["1"] * 1000 == answers
    assert Work(hashes=0, slow_hashes=0, signatures=1, digests=1000) == desk.work


async def test_thousand_requests_at_once_cost_one_signature() -> None:
    """So do those that come together."""
    desk = await Desk.open()
    token = good(NOW)

    answers = await asyncio.gather(*(desk.user(token) for _ in range(1000)))

    assert ["1"] * 1000 == answers
    assert 1 == desk.work.signatures


async def test_tokens_that_break_a_rule_cost_no_signature() -> None:
    """A signature is checked only where the rest is right."""
    desk = await Desk.open()

    for name in ("expired", "aud of others", "iss of nobody", "crit", "kid made up"):
        await desk.user(BAD[name](NOW))

    assert 0 == desk.work.signatures


async def test_bad_signatures_are_not_remembered() -> None:
    """A forged token costs its signature each time and takes nobody's place."""
    desk = await Desk.open()
    forged = BAD["signature of a stranger"](NOW)

    for _ in range(3):
        await desk.user(forged)

    assert 3 == desk.work.signatures
    assert 0 == len(desk.tokens._remembered)


async def test_remembered_token_ends_all_the_same() -> None:
    """What verified a moment ago is held against its end at each use."""
    desk = await Desk.open()
    token = RSA.token(claims(exp=NOW + 2))
    before = await desk.user(token)
    desk.clock.today += 2 + LEEWAY
    after = await desk.user(token)

    assert ("1", None) == (before, after)
    assert 1 == desk.work.signatures


async def test_token_is_remembered_for_a_minute() -> None:
    """After a minute its signature is checked again."""
    desk = await Desk.open()
    for seconds in (0, 59, 1):
        desk.clock.now += seconds
        await desk.user(good(NOW))

    assert 2 == desk.work.signatures


async def test_withdrawn_key_ends_its_tokens() -> None:
    """When the keys change, a token of a key that is gone is nobody's at once."""
    desk = await Desk.open()
    token = good(NOW)
    before = await desk.user(token)
    desk.source.document = key_set(EC)
    await exchange(desk)
    after = await desk.user(token)

    assert ("1", None) == (before, after)


async def test_exchanged_key_of_the_same_id_ends_its_tokens() -> None:
    """What was verified with the old key does not outlive it under its id."""
    desk = await Desk.open()
    token = good(NOW)
    await desk.user(token)
    exchanged = Signer("RS256", "RS256", STRANGER.private)
    desk.source.document = key_set(exchanged)
    await exchange(desk)

    assert await desk.user(token) is None
    assert "1" == await desk.user(exchanged.token(claims()))


async def test_unchanged_keys_keep_what_was_verified() -> None:
    """Keys that are read again and are the same cost no new signature."""
    desk = await Desk.open()
    await desk.user(good(NOW))
    desk.clock.now += 30
    await desk.user(signer("RS256", "nobody").token(claims()))
    await desk.user(good(NOW))

    assert (2, 1) == (desk.source.reads, desk.work.signatures)


async def test_remembered_token_needs_keys_that_are_young() -> None:
    """Beyond the keys' age even what was verified cannot be judged."""
    desk = await Desk.open()
    token = RSA.token(claims(exp=NOW + 86_400))
    await desk.user(token)
    desk.source.document = None
    desk.clock.now += 30
    await desk.user(token)
    desk.clock.now += 3570
    with pytest.raises(FactsUnavailableError):
        await desk.user(token)


@pytest.mark.parametrize(
    "name", ["expired", "aud of others", "iss of nobody", "alg none, signed", "crit"]
)
async def test_what_is_surely_bad_is_denied_without_keys(name: str) -> None:
    """Without keys a token that is bad whatever they are is nobody's, and no error."""
    desk = await Desk.open(document=None)

    assert await desk.user(BAD[name](NOW)) is None


async def test_remembered_tokens_are_bounded() -> None:
    """However many tokens verify, ten thousand are remembered at most."""
    desk = await Desk.open()
    token = good(NOW)
    await desk.user(token)
    [(verified, _)] = desk.tokens._remembered._values.values()
    for number in range(20_000):
        desk.tokens._remembered.put(number.to_bytes(4), verified)

    assert 10_000 == len(desk.tokens._remembered)


async def exchange(desk: Desk) -> None:
    """Has the keys read anew while what verified is still remembered."""
    desk.clock.now += 30
    assert await desk.user(STRANGER.token(claims())) is None
    assert 2 == desk.source.reads
