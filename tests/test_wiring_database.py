"""The database's settings as the parts get them."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from sidecar.settings import Database, Settings
from sidecar.store.errors import StoreError
from sidecar.store.replicas import Outcome, ReplicaStats
from sidecar.wiring import store_settings
from sidecar.wiring_database import pool_of, replica_of, replica_readings, url_of

URL, READ = "postgresql://u@p/d", "postgresql://u@r/d"


def test_without_a_replica_there_is_none() -> None:
    """Facts then come from the primary."""
    assert replica_of(Database()) is None
    assert store_settings(Settings()).replica is None


def test_replica_is_a_standby_that_need_not_be_there() -> None:
    """All else is as for the primary."""
    file = Path("/run/password")
    database = Database(
        url=SecretStr(URL), read_url=SecretStr(READ), password_file=file, pool_min=3
    )

    pool, replica = pool_of(database), replica_of(database)

    assert replica is not None
    assert (pool.url, pool.smallest, pool.wanted) == (URL, 3, "primary")
    assert (replica.url, replica.smallest, replica.wanted) == (READ, 0, "standby")
    assert {pool.password_file, replica.password_file} == {file}


def test_feed_takes_the_password_file_too() -> None:
    """Or it would lose its connection with the first rotation."""
    file = Path("/run/password")
    settings = Settings(database=Database(password_file=file))

    assert store_settings(settings).feed.password_file == file


def test_commands_take_the_password_of_now(tmp_path: Path) -> None:
    """A file without one is told in words."""
    file = tmp_path / "password"
    file.write_text("p/w\n")
    settings = Settings(database=Database(url=SecretStr(URL), password_file=file))
    url = url_of(settings)
    file.unlink()

    assert url == f"{URL}?password=p%2Fw"
    with pytest.raises(StoreError, match=r"the password: `.*` cannot be read"):
        url_of(settings)


def test_metrics_tell_of_a_replica_if_there_is_one() -> None:
    """Each outcome is counted."""
    counts = dict.fromkeys(Outcome, 2)
    there = replica_readings(lambda: ReplicaStats(is_up=True, readings=counts))
    nowhere = replica_readings(lambda: None)

    read = [[(each.labels, each.value) for each in one.read()] for one in there]
    assert read == [[((), 1.0)], [((each.value,), 2.0) for each in Outcome]]
    assert [list(one.read()) for one in nowhere] == [[], []]
