"""Paths as they are on the wire: canonical and split, or refused, never repaired.

Whoever repairs a path judges another one than the application serves.
"""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

# RFC 3986's characters of a path, without `;`, which some servers cut a segment at.
_SEGMENTS: Final = re.compile(rb"(?:/[A-Za-z0-9\-._~!$&'()*+,=:@%]*)+")
_ESCAPE: Final = re.compile(rb"%(?:([0-9A-Fa-f]{2})|.?)")
_UNRESERVED: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
)
# What is never escaped in a segment that has one meaning only: a separator, an escape
# again, and what ends strings or moves cursors.
_NEVER_ESCAPED: Final = _UNRESERVED | frozenset(b"/\\%\x7f") | frozenset(range(0x20))
_DOTS: Final = frozenset({b".", b".."})


def split_path(target: bytes) -> tuple[str, ...] | None:
    """The decoded segments of a request's path, none when it is not canonical.

    `target` is path and query. A trailing slash gives an empty last segment; no
    other segment is empty.
    """
    path = target.partition(b"?")[0]
    if _SEGMENTS.fullmatch(path) is None or b"//" in path:
        return None
    segments = path[1:].split(b"/")
    if not _DOTS.isdisjoint(segments):
        return None
    if b"%" not in path:
        return tuple(path[1:].decode("ascii").split("/"))
    if not all(map(_is_canonical_escape, _ESCAPE.findall(path))):
        return None
    return _decode(segments)


def _is_canonical_escape(digits: bytes) -> bool:
    return bool(digits) and int(digits, 16) not in _NEVER_ESCAPED


def _decode(segments: list[bytes]) -> tuple[str, ...] | None:
    try:
        decoded = [unquote_to_bytes(segment).decode() for segment in segments]
    except UnicodeDecodeError:
        return None
    if any(_has_control(segment) for segment in decoded):
        return None
    return tuple(decoded)


def _has_control(text: str) -> bool:
    # Those of one byte were refused as escapes; these come of two.
    return any("\x80" <= character <= "\x9f" for character in text)
