"""What readiness and each component make of the feed, the database and the time."""

from dataclasses import dataclass, replace
from math import inf

import pytest
from typing_extensions import override

from sidecar.ports import Clock
from sidecar.store.feed import FeedHealth
from sidecar.transport.server import API_SERVICE
from sidecar.wiring_health import Parts, Vitals

WELL = FeedHealth(
    is_connected=True,
    is_live=True,
    staleness=0.5,
    unwatched={},
    connections=1,
    changes=0,
    malformed=0,
)
LOST = replace(WELL, is_connected=False, is_live=False, staleness=inf)
READINESS = {"", API_SERVICE}


class At(Clock):
    """A clock that is set."""

    now = 100.0

    @override
    def monotonic(self) -> float:
        return self.now

    @override
    def wall(self) -> float:
        return self.now


@dataclass
class Patient:
    """Vitals over a feed that is set; staleness may be ten seconds."""

    feed: FeedHealth = WELL
    keys: bool = True
    certificates: bool | None = None

    def __post_init__(self) -> None:
        self.clock = At()
        parts = Parts(
            lambda: self.feed, lambda: self.keys, lambda: self.certificates, None
        )
        self.vitals = Vitals(parts, self.clock, 10.0)

    def ill(self) -> set[str]:
        """The components that do not serve."""
        return {name for name, well in self.vitals.components().items() if not well}


def test_nothing_is_ready_before_the_feed_lives() -> None:
    """With a feed that never connected and no word of the database, none is ready."""
    patient = Patient(replace(LOST, connections=0))

    assert {*READINESS, "database", "feed", "cache"} == patient.ill()


def test_memory_answers_while_the_database_is_away() -> None:
    """A database that does not answer is told, and makes nothing else ill."""
    patient = Patient()
    patient.vitals.database(is_reachable=False)

    assert {"database"} == patient.ill()


def test_the_database_answers_while_the_feed_is_away() -> None:
    """Without a feed every question goes to the database, which is ready too."""
    patient = Patient(LOST)
    patient.clock.now = 200.0
    patient.vitals.database(is_reachable=True)

    assert {"feed", "cache"} == patient.ill()


@pytest.mark.parametrize(("later", "is_ready"), [(9.5, True), (9.6, False)])
def test_unready_when_nothing_answers_for_longer_than_the_bound(
    later: float, *, is_ready: bool
) -> None:
    """Lost, it stays ready until what was heard last is older than the bound."""
    patient = Patient()
    before = patient.ill()
    patient.vitals.database(is_reachable=False)
    patient.feed = LOST
    patient.clock.now += later

    assert {"database"} == before
    assert is_ready is READINESS.isdisjoint(patient.ill())


def test_a_silent_feed_is_no_sign_of_life() -> None:
    """How long it was silent counts, and not when it was looked at."""
    patient = Patient(replace(WELL, staleness=9.0))
    patient.ill()
    patient.vitals.database(is_reachable=False)
    patient.feed = replace(WELL, is_live=False, staleness=10.5)
    patient.clock.now += 1.5

    assert READINESS <= patient.ill()


@pytest.mark.parametrize(
    ("patient", "name"),
    [
        (Patient(replace(WELL, unwatched={"users": "no trigger"})), "triggers"),
        (Patient(keys=False), "keys"),
        (Patient(certificates=False), "certificates"),
        (Patient(replace(WELL, is_connected=False)), "feed"),
    ],
)
def test_what_is_ill_alone_is_told_alone(patient: Patient, name: str) -> None:
    """A component that is ill makes no other ill, nor the sidecar unready."""
    patient.vitals.database(is_reachable=True)

    assert {name} == patient.ill()


@pytest.mark.parametrize(
    ("feed", "reached", "later", "wants"),
    [
        (WELL, True, 4.9, False),
        (WELL, True, 5.0, True),
        (WELL, False, 0.1, True),
        (LOST, True, 0.1, True),
        (replace(WELL, staleness=5.1), True, 0.1, True),
    ],
)
def test_the_database_is_rarely_asked_while_all_is_well(
    feed: FeedHealth, later: float, *, reached: bool, wants: bool
) -> None:
    """Every five seconds while the feed lives, and at every look when it does not."""
    patient = Patient(feed)
    patient.vitals.database(is_reachable=reached)
    patient.clock.now += later

    assert wants is patient.vitals.wants_database()
