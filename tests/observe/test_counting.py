"""Decisions that are counted by their places are counted as if each were told."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest

from sidecar.core.decision import Allowed, Decision, Denied
from sidecar.core.reasons import Denial, Reason
from sidecar.observe.metrics import Metrics

DECISIONS: st.SearchStrategy[Decision] = st.one_of(
    st.builds(Allowed, st.sampled_from(Reason)),
    st.builds(Denied, st.sampled_from(Denial), st.sampled_from(Reason)),
)


@given(st.lists(DECISIONS, min_size=1, max_size=5), st.data())
def test_counts_are_the_same_by_place(
    different: list[Decision], data: st.DataObject
) -> None:
    """However many there are, and whichever is named how often."""
    numbers = st.integers(0, len(different) - 1)
    places = data.draw(st.lists(numbers, min_size=1, max_size=30))
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
