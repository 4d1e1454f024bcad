"""Looks at the database of some settings for everything that the sidecar needs."""

from sidecar import wiring, wiring_database
from sidecar.core.model import Visibility
from sidecar.settings import Settings
from sidecar.store.clock import SystemClock
from sidecar.store.doctor.examine import examine
from sidecar.store.doctor.findings import Report
from sidecar.store.doctor.look import Patient


async def diagnose(settings: Settings, seconds: float) -> Report:
    """Examines the database; each look at it takes at most `seconds`.

    Raises StoreError when the database cannot be looked at.
    """
    store = wiring.store_settings(settings)
    kinds = wiring.policy_of(settings).kinds.values()
    patient = Patient(
        wiring_database.with_password_of_now(settings, store.pool.url),
        wiring_database.with_password_of_now(settings, store.feed.url),
        pool_max=store.pool.largest,
        keeps_statements=store.pool.statement_cache > 0,
        load_timeout=store.load_timeout,
        kinds=frozenset(kind.name for kind in kinds),
        clusters=frozenset(
            kind.name for kind in kinds if kind.visibility is Visibility.CLUSTER
        ),
        connect_timeout=store.pool.connect_timeout,
        seconds=seconds,
        schema=store.schema,
    )
    return await examine(patient, SystemClock())
