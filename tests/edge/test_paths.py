from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.edge.paths import split_path
from tests.edge.plain_paths import plain_split

_REFUSED = [
    b"", b"v2", b"*", b"//", b"/a//b", b"/a//", b"//a", b"/.", b"/..", b"/a/.",
    b"/a/..", b"/a/../b", b"/a/./b", b"/%2e", b"/%2E%2e", b"/a/.%2e/b", b"/a%2fb",
    b"/a%2Fb", b"/a%5cb", b"/a\\b", b"/a%00", b"/a\x00b", b"/a%25", b"/%252e",
    b"/a;b", b"/a;b=c/d", b"/a#b", b"/a\x01", b"/a\x7f", b"/a%0a", b"/a%7F",
    b"/a\xc3\xa4", b"/a\xff", b"/a%", b"/a%4", b"/a%zz", b"/a%4z", b"/%41", b"/%7e",
    b"/a%2dB", b"/a b", b"/a\tb", b"/%ff", b"/%c3", b"/%c2%80", b"/%ed%a0%80",
    b"http://x/a", b"/a|b", b"/a{b}", b"/a%u0041",
]  # fmt: skip

_SPLIT = {
    b"/": ("",),
    b"/?a=//../%00": ("",),
    b"/v2/clusters": ("v2", "clusters"),
    b"/v2/clusters/": ("v2", "clusters", ""),
    b"/v2/clusters?x=%2f": ("v2", "clusters"),
    b"/a:b@c/(d)": ("a:b@c", "(d)"),
    b"/%C3%A4/%c3%b6": ("ä", "ö"),
    b"/a%20b": ("a b",),
    b"/...": ("...",),
    b"/.well-known/x": (".well-known", "x"),
    b"/A/a": ("A", "a"),
    b"/a%3Bb/c%23": ("a;b", "c#"),
}


@pytest.mark.parametrize("target", _REFUSED)
def test_refuses_paths_that_are_not_canonical(target: bytes) -> None:
    """A path that two readers could read in two ways is refused, not repaired."""
    assert split_path(target) is None
    assert plain_split(target) is None


@pytest.mark.parametrize(("target", "segments"), _SPLIT.items())
def test_splits_canonical_paths(target: bytes, segments: tuple[str, ...]) -> None:
    """A canonical path is its segments, each decoded once."""
    assert segments == split_path(target)
    assert segments == plain_split(target)


def test_every_escape_at_every_place_is_judged_as_the_plain_rule_does() -> None:
    """Each of %00 to %ff, and each raw byte, in each place of a segment, agrees."""
    escapes = [f"%{byte:02x}".encode() for byte in range(256)]
    escapes += [escape.upper() for escape in escapes]
    escapes += [bytes([byte]) for byte in range(256)]
    for escape, place in product(escapes, range(4)):
        for around in (b"abc", b"...", b"%c3", b"a%2", b"/..", b"%2e"):
            target = b"/v2/" + around[:place] + escape + around[place:] + b"/x"

            assert plain_split(target) == split_path(target), target


_PIECES = st.sampled_from(
    [b"/", b"/", b".", b"..", b"%2e", b"%2F", b"%", b"%c3%a4", b"%C2%85", b"a", b"Z9",
     b";", b"?", b"#", b"\\", b"%5c", b"%00", b"\x00", b"\xc3", b"%41", b"~", b"%20",
     b"%e2%80%ae", b"%f0%9f%98%80", b"%25", b"%252f", b":", b"@"]
)  # fmt: skip


@example(b"/%c2\x85")
@given(
    st.lists(_PIECES, max_size=12).map(b"".join).map(lambda tail: b"/" + tail)
    | st.binary(max_size=24).map(lambda tail: b"/" + tail)
    | st.binary(max_size=24)
)
def test_random_paths_are_judged_as_the_plain_rule_does(target: bytes) -> None:
    """Whatever arrives, both versions of the rule say the same."""
    assert plain_split(target) == split_path(target)


@given(st.lists(_PIECES, max_size=12).map(b"".join).map(lambda tail: b"/" + tail))
def test_no_segment_can_be_taken_for_more_than_one(target: bytes) -> None:
    """What was decoded has no separator, no control and no dots that climb."""
    segments = split_path(target)
    if segments is None:
        return

    for segment in segments:
        assert not {"/", "\\", "%"} & set(segment)
        assert segment not in {".", ".."}
        assert not any(ord(character) < 0x20 for character in segment)
