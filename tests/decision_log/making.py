"""Entries and records that stand for those of real calls."""

from dataclasses import dataclass

from sidecar.audit.record import Outcome, Record


@dataclass(frozen=True)
class Made:
    """An entry with a number to tell it from others."""

    number: int
    outcome: Outcome = Outcome.ALLOWED
    weight: int = 1


def record(**changed: object) -> Record:
    """A record as the sidecar makes them."""
    whole: dict[str, object] = {
        "v": 1,
        "time": "2026-11-23T06:00:00.000000Z",
        "decision_id": "7b90bc1c1661-1",
        "source": "api",
        "rpc": "CheckVisible",
        "outcome": "allowed",
        "reason": "OWNED",
        "code": "OK",
        "caller": {"user_id": "1", "organization_id": "1"},
        "proved": None,
        "context": {"user_id": "1", "accessible_cluster_ids": ["1", "4"]},
        "question": {"resources": [{"kind": "cluster", "id": "1"}], "explain": False},
        "answer": [{"allowed": True, "denial": None, "reason": "OWNED"}],
        "revision": "1.2.3",
        "seconds": 0.000123,
        "listener": "unix:/run/authz.sock",
        "peer": "unix:1",
        "masked": [],
        **changed,
    }
    return whole  # type: ignore[return-value]  # plain values, all of them
