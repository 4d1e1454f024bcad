"""Decisions of any kind, for properties that hold of all of them."""

from hypothesis import strategies as st

from sidecar.core.decision import Allowed, Decision, Denied
from sidecar.core.reasons import Denial, Reason

DECISIONS: st.SearchStrategy[Decision] = st.one_of(
    st.builds(Allowed, st.sampled_from(Reason)),
    st.builds(Denied, st.sampled_from(Denial), st.sampled_from(Reason)),
)


@st.composite
def placed_decisions(draw: st.DrawFn) -> tuple[list[Decision], list[int]]:
    """Decisions, and for each of some elements the place of its own among them."""
    decisions = draw(st.lists(DECISIONS, min_size=1, max_size=9))
    numbers = st.integers(0, len(decisions) - 1)
    return decisions, draw(st.lists(numbers, min_size=1, max_size=60))
