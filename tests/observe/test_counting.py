"""Decisions that are counted by their places are counted as if each were told."""

from hypothesis import given
from prometheus_client import generate_latest

from sidecar.core.decision import Decision
from sidecar.observe.metrics import Metrics
from tests.support.drawn_decisions import placed_decisions


@given(placed_decisions())
def test_counts_are_the_same_by_place(
    placed: tuple[list[Decision], list[int]],
) -> None:
    """However many there are, and whichever is named how often."""
    different, places = placed
    each, often = Metrics(), Metrics()
    each.decided("CheckVisible", [different[place] for place in places])

    often.decided_often("CheckVisible", different, places)

    assert _told(each) == _told(often)


def test_answered_calls_are_counted_beside_refused_ones() -> None:
    """Those that are answered have no key of their own until they are read."""
    metrics = Metrics()
    for code, reason in (("OK", ""), ("OK", ""), ("UNAVAILABLE", "OVERLOADED")):
        metrics.called("CheckRole", code, reason, 0.001)
    metrics.called("Authorize", "CANCELLED", "", 0.001)

    actual = [line for line in _told(metrics) if line.startswith("authz_calls_total")]

    assert [
        'authz_calls_total{code="CANCELLED",reason="",rpc="Authorize"} 1.0',
        'authz_calls_total{code="OK",reason="",rpc="CheckRole"} 2.0',
        'authz_calls_total{code="UNAVAILABLE",reason="OVERLOADED",rpc="CheckRole"} 1.0',
    ] == actual


def _told(metrics: Metrics) -> list[str]:
    lines = generate_latest(metrics.registry).decode().splitlines()
    return sorted(line for line in lines if line.startswith("authz_"))
