"""A fake of the port for key sources, and verifiers over it."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from typing_extensions import override

from sidecar.identity.access_tokens import AccessTokens, Issuer
from sidecar.identity.claims import IssuerRules
from sidecar.identity.key_sources import KeySource, KeySourceError, Pace
from sidecar.identity.work import Work
from tests.identity.bad_tokens import ALGORITHMS, KEYS, LEEWAY, OTHER_ISSUER, OTHER_KEYS
from tests.identity.minting import AUDIENCE, ISSUER
from tests.support.memory import Document, MemoryFacts
from tests.support.pipeline import ManualClock

MOST_BYTES = 16_384
PACE = Pace(refresh=300, apart=30, max_age=3600)

DOCUMENT: Document = {
    "user_identities": [
        {"issuer": ISSUER, "subject": "ann", "user_id": "1"},
        {"issuer": ISSUER, "subject": "root", "user_id": "9"},
        {"issuer": OTHER_ISSUER, "subject": "ann", "user_id": "2"},
    ]
}
FACTS = MemoryFacts(DOCUMENT)


@dataclass
class HeldKeys(KeySource):
    """A document that a test sets; none when it cannot be read."""

    document: bytes | None
    reads: int = 0
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Answers at once, until a test says otherwise."""
        self.may_answer.set()

    @override
    def pace(self, max_age: float) -> Pace:
        return Pace(PACE.refresh, PACE.apart, max_age)

    @override
    async def read(self) -> bytes:
        self.reads += 1
        self.was_asked.set()
        await self.may_answer.wait()
        if self.document is None:
            raise KeySourceError("it is away")
        return self.document


def rules(issuer: str = ISSUER, user_id_claim: str | None = None) -> IssuerRules:
    """What the bad tokens break."""
    return IssuerRules(
        issuer, frozenset({AUDIENCE}), frozenset(ALGORITHMS), user_id_claim, LEEWAY
    )


@dataclass
class Desk:
    """A verifier of access tokens with what a test turns and reads."""

    clock: ManualClock
    work: Work
    source: HeldKeys
    tokens: AccessTokens

    @classmethod
    async def open(
        cls,
        document: bytes | None = KEYS,
        user_id_claim: str | None = None,
        others: Iterable[Issuer] = (),
    ) -> "Desk":
        """A verifier whose keys were read, as far as they can be."""
        clock, work, source = ManualClock(), Work(), HeldKeys(document)
        issuer = Issuer.of(rules(user_id_claim=user_id_claim), source, 3600, clock)
        other = Issuer.of(rules(OTHER_ISSUER), HeldKeys(OTHER_KEYS), 3600, clock)
        tokens = AccessTokens([issuer, other, *others], clock, work, MOST_BYTES)
        await tokens.start()
        return cls(clock, work, source, tokens)

    async def user(self, token: str) -> str | None:
        """The id of the user who presents a token."""
        found = await self.tokens.verify(token, FACTS)
        return None if found is None else found.user_id
