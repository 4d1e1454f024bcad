"""Settings of the database to addresses and pools, and the metrics of a replica."""

from collections.abc import Callable
from dataclasses import replace

from sidecar.observe.metrics import Reading, Sample
from sidecar.settings import Database, Settings
from sidecar.store.database import PoolSettings
from sidecar.store.dialing import PasswordFileError, with_password
from sidecar.store.errors import StoreError
from sidecar.store.replicas import ReplicaStats


def url_of(settings: Settings) -> str:
    """The URL of the database with the password of now, for what connects once.

    Raises StoreError when there is a file for the password that has none.
    """
    return with_password_of_now(settings, settings.database.url.get_secret_value())


def with_password_of_now(settings: Settings, url: str) -> str:
    """Another URL with it; raises as `url_of` does."""
    try:
        return with_password(url, settings.database.password_file)
    except PasswordFileError as error:
        raise StoreError(f"the password: {error}") from error


def pool_of(database: Database) -> PoolSettings:
    """The connections to the primary."""
    return PoolSettings(
        database.url.get_secret_value(),
        smallest=database.pool_min,
        largest=database.pool_max,
        waiting=database.pool_waiting,
        connect_timeout=database.connect_seconds,
        statement_cache=100 if database.prepared_statements else 0,
        password_file=database.password_file,
        wanted="primary",
    )


def replica_of(database: Database) -> PoolSettings | None:
    """Those to the replica, which need not be there; none without one."""
    if database.read_url is None:
        return None
    url = database.read_url.get_secret_value()
    return replace(pool_of(database), url=url, smallest=0, wanted="standby")


def replica_readings(stats: Callable[[], ReplicaStats | None]) -> list[Reading]:
    """How the replica does and is used, read when it is scraped."""

    def is_up() -> list[Sample]:
        now = stats()
        return [] if now is None else [Sample((), float(now.is_up))]

    def readings() -> list[Sample]:
        now = stats()
        if now is None:
            return []
        return [
            Sample((outcome.value,), float(count))
            for outcome, count in now.readings.items()
        ]

    return [
        Reading(
            "authz_replica_up",
            "Whether the replica answered when it was last asked: 1 or 0.",
            (),
            is_up,
        ),
        Reading(
            "authz_replica_readings",
            "Readings that a replica could serve, by what became of them: `replica` "
            "served, all others the primary.",
            ("outcome",),
            readings,
            is_total=True,
        ),
    ]
