"""Settings of identity to what checks credentials, and its metrics."""

from collections.abc import Callable

from sidecar.identity.access_tokens import Issuer
from sidecar.identity.claims import IssuerRules
from sidecar.identity.identity import Identity
from sidecar.identity.key_ring import RingState
from sidecar.identity.key_sources import FileKeys, HttpsKeys, KeySource
from sidecar.observe.metrics import Reading, Sample
from sidecar.ports import Clock
from sidecar.settings import IssuerSettings, Settings


async def start_identity(settings: Settings, clock: Clock) -> Identity:
    """What checks credentials, its keys read as far as they can be."""
    return await Identity.start(
        issuers_of(settings, clock),
        settings.identity.api_key_prefixes,
        settings.limits.credential_bytes,
        clock,
    )


def issuers_of(settings: Settings, clock: Clock) -> list[Issuer]:
    """The issuers whose access tokens are believed, with their keys unread."""
    return [
        Issuer.of(
            IssuerRules(
                each.issuer,
                frozenset(each.audiences),
                frozenset(each.algorithms),
                each.user_id_claim,
                each.leeway_seconds,
            ),
            _key_source(each),
            each.jwks_max_age_seconds,
            clock,
        )
        for each in settings.identity.issuers
    ]


def _key_source(issuer: IssuerSettings) -> KeySource:
    if issuer.jwks_url is not None:
        return HttpsKeys(issuer.jwks_url, issuer.ca_file)
    if issuer.jwks_file is not None:
        return FileKeys(issuer.jwks_file)
    raise ValueError(issuer.issuer)  # the settings refuse an issuer with neither


def identity_readings(identity: Identity) -> list[Reading]:
    """The metrics of credentials and of the keys of issuers."""
    tokens, work = identity.tokens, identity.work

    def by_issuer(
        read: Callable[[RingState], float | None],
    ) -> Callable[[], list[Sample]]:
        return lambda: [
            Sample((issuer,), float(value))
            for issuer, state in tokens.states().items()
            if (value := read(state)) is not None
        ]

    rows: tuple[tuple[str, str, Callable[[RingState], float | None], bool], ...] = (
        ("usable", "Whether they judge: 1 or 0.", lambda each: each.is_usable, False),
        ("age_seconds", "Seconds since they were read.", lambda each: each.age, False),
        ("readings", "Times that they were read.", lambda each: each.readings, True),
        ("failures", "Readings that failed.", lambda each: each.failures, True),
    )
    operations: dict[str, Callable[[], int]] = {
        "hash": lambda: work.hashes,
        "slow_hash": lambda: work.slow_hashes,
        "signature": lambda: work.signatures,
        "digest": lambda: work.digests,
    }
    return [
        Reading(
            "authz_credential_operations",
            "What checking credentials cost: comparisons with a stored hash, "
            "signatures, and digests to look a credential up.",
            ("operation",),
            lambda: [
                Sample((name,), float(read())) for name, read in operations.items()
            ],
            is_total=True,
        ),
        *(
            Reading(
                f"authz_issuer_keys_{name}",
                f"The keys of an issuer of tokens. {text}",
                ("issuer",),
                by_issuer(read),
                is_total,
            )
            for name, text, read, is_total in rows
        ),
    ]
