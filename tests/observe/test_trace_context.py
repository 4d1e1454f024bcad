"""Which trace a caller names."""

import pytest

from sidecar.observe.trace_context import Remote, read_remote

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
VALID = f"00-{TRACE}-{SPAN}-01"
REMOTE = Remote(int(TRACE, 16), int(SPAN, 16), is_sampled=True, state="")


@pytest.mark.parametrize("flags", ["01", "03", "ff"])
def test_sampled_parent_is_followed(flags: str) -> None:
    """Only the lowest flag says whether a trace is recorded."""
    assert REMOTE == read_remote([("traceparent", f"00-{TRACE}-{SPAN}-{flags}")])


@pytest.mark.parametrize("flags", ["00", "02", "fe"])
def test_parent_that_is_not_sampled_says_so(flags: str) -> None:
    """A trace that nobody records has a name all the same."""
    found = read_remote([("traceparent", f"00-{TRACE}-{SPAN}-{flags}")])

    assert found is not None
    assert not found.is_sampled


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "00",
        VALID.upper(),
        VALID + "-",
        VALID + "-more",
        VALID + "\n",
        " " + VALID,
        f"ff-{TRACE}-{SPAN}-01",
        f"0-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}0-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-0x",
        f"00_{TRACE}_{SPAN}_01",
        "00-" + "\u0660" * 32 + f"-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01",
        "g" * 100_000,
    ],
)
def test_malformed_parent_names_no_trace(parent: str) -> None:
    """What is not as it must be is as if it were not there."""
    assert None is read_remote([("traceparent", parent)])


def test_bytes_name_a_trace_too() -> None:
    """Some engines give values as bytes, whatever is in them."""
    assert REMOTE == read_remote([("traceparent", VALID.encode())])
    assert None is read_remote([("traceparent", b"\xff" + VALID.encode()[1:])])


def test_two_parents_name_none() -> None:
    """Neither is better than the other."""
    assert None is read_remote([("traceparent", VALID), ("traceparent", VALID)])


def test_later_version_may_say_more() -> None:
    """What a later version adds is passed over."""
    assert REMOTE == read_remote([("traceparent", f"01-{TRACE}-{SPAN}-01-more")])
    assert None is read_remote([("traceparent", f"01-{TRACE}-{SPAN}-01more")])


def test_states_are_passed_on_in_order() -> None:
    """Several headers are one list."""
    found = read_remote(
        [("tracestate", "a=1"), ("traceparent", VALID), ("tracestate", "b=2,c=3")]
    )

    assert found is not None
    assert "a=1,b=2,c=3" == found.state


@pytest.mark.parametrize("state", ["x" * 513, "a=\x00", "a=\u00e4", "a=1\n"])
def test_odd_state_is_left_out(state: str) -> None:
    """What is too long or not plain is not passed on, and spoils nothing else."""
    found = read_remote([("traceparent", VALID), ("tracestate", state)])

    assert REMOTE == found


def test_state_alone_names_no_trace() -> None:
    """Without a parent there is nothing that it could be the state of."""
    assert None is read_remote([("tracestate", "a=1")])
    assert None is read_remote([])
