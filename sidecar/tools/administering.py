"""Administration of the reference schema, and the keys that are made for it."""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Final

from sidecar import wiring
from sidecar.settings import Settings
from sidecar.store.steward import turn
from sidecar.store.steward.deeds import Listing
from sidecar.store.steward.turn import Errand, Look, Outcome

_PREFIX: Final = "authz"
_LOOKUP_BYTES: Final = 8
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class NewSecret:
    """What a new key keeps to itself; a rehearsal has none, as it makes no key.

    `lookup_id` is a random one, for a key that has no predecessor.
    """

    lookup_id: str
    hash: str
    _secret: str | None = field(repr=False)

    def key_text(self, lookup_id: str) -> str | None:
        """The text by which a user calls; none in a rehearsal."""
        secret = self._secret
        return None if secret is None else f"{_PREFIX}_{lookup_id}_{secret}"


def new_secret(*, is_rehearsal: bool) -> NewSecret:
    """Random bits for a key: 64 by which it is found, 256 that are secret.

    A rehearsal's hash is of bits that nobody gets, and its lookup id says so.
    """
    lookup_id = secrets.token_hex(_LOOKUP_BYTES)
    secret = secrets.token_hex(_SECRET_BYTES)
    stored = f"sha256:{hashlib.sha256(secret.encode()).hexdigest()}"
    if is_rehearsal:
        return NewSecret(f"dry-run-{lookup_id}", stored, None)
    return NewSecret(lookup_id, stored, secret)


def cluster_kinds(settings: Settings) -> tuple[str, ...]:
    """The kinds whose rows are clusters."""
    return tuple(
        name
        for name, kind in settings.resource_kinds.items()
        if kind.visibility == "CLUSTER"
    )


async def administer(
    settings: Settings, errand: Errand, *, is_rehearsal: bool
) -> Outcome:
    """Carries an errand out, or rehearses it.

    Raises StewardError when it cannot be done, StoreError when the database cannot.
    """
    database = wiring.store_settings(settings).pool
    return await turn.carry_out(database, errand, is_rehearsal=is_rehearsal)


async def look(settings: Settings, wanted: Look) -> Listing:
    """Reads what is wanted; raises as `administer` does."""
    return await turn.look(wiring.store_settings(settings).pool, wanted)
