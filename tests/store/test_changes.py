import pytest

from sidecar.store.changes import Beat, Change, parse_beat, parse_change
from sidecar.store.heard import Snapshot


@pytest.mark.parametrize(
    ("payload", "change"),
    [
        ('{"g":"user","k":["1"],"x":"7"}', Change("user", ("1",), 7)),
        (
            '{"g":"member","k":["a b","\\"c"],"x":"7"}',
            Change("member", ("a b", '"c'), 7),
        ),
        ('{"g":"grants","x":"7"}', Change("grants", None, 7)),
    ],
)
def test_change_is_a_group_and_its_keys(payload: str, change: Change) -> None:
    """No keys mean any of the group."""
    assert change == parse_change(payload)


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "user",
        "[]",
        "{}",
        '{"g":"user"}',
        '{"g":"user","k":["1"]}',
        '{"g":"user","k":"1","x":"7"}',
        '{"g":"user","k":null,"x":"7"}',
        '{"g":"user","k":[],"x":"7"}',
        '{"g":"user","k":[1],"x":"7"}',
        '{"g":"user","k":["1"],"x":7}',
        '{"g":"user","k":["1"],"x":"-7"}',
        '{"g":"user","k":["1"],"x":"x"}',
        '{"g":"nothing","k":["1"],"x":"7"}',
        '{"g":["user"],"k":["1"],"x":"7"}',
        '{"g":"user","k":["1"],"x":"7","y":1}',
        '{"g":"user","k":["1"],"x":"7"',
        "[" * 100_000,
    ],
)
def test_anything_else_is_no_change(payload: str) -> None:
    """Whoever can notify can send anything, so the form is strict."""
    assert parse_change(payload) is None


def test_beat_tells_its_transaction_and_snapshot() -> None:
    """And which one it is, for its sender."""
    payload = '{"g":"beat","n":"a1","s":"5:7:5","x":"7"}'

    assert Beat("a1", Snapshot(5, 7, frozenset({5})), 7) == parse_beat(payload)


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "somebody 1",
        "[]",
        '{"g":"beat","n":"a1","s":"5:7:5"}',
        '{"g":"user","n":"a1","s":"5:7:5","x":"7"}',
        '{"g":"beat","n":1,"s":"5:7:5","x":"7"}',
        '{"g":"beat","n":"a1","s":"5:7","x":"7"}',
        '{"g":"beat","n":"a1","s":"5:7:5","x":7}',
        '{"g":"beat","n":"a1","s":"5:7:5","x":"6"}',
        '{"g":"beat","n":"a1","s":"5:7:5","x":"7","k":[]}',
        '{"g":"beat","n":"a1","s":"5:7:5","x":"999999999999999999999"}',
    ],
)
def test_anything_else_is_no_beat(payload: str) -> None:
    """Also one whose snapshot saw what came after its transaction."""
    assert parse_beat(payload) is None
