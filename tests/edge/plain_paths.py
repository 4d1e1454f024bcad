"""The rule for paths a second time, slow and obvious: what it lists, it refuses."""

_HEX = "0123456789abcdefABCDEF"
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_UNRESERVED = _LETTERS + "0123456789-._~"
_PLAIN = _UNRESERVED + "!$&'()*+,=:@"


def plain_split(target: bytes) -> tuple[str, ...] | None:
    """The decoded segments of a path and query, none when they are refused."""
    path = ""
    for byte in target:
        if chr(byte) == "?":
            break
        if byte > 0x7E:
            return None
        path += chr(byte)
    if not path.startswith("/"):
        return None
    segments = path[1:].split("/")
    for segment in segments[:-1]:
        if segment == "":
            return None
    decoded = [_plain_segment(segment) for segment in segments]
    if any(segment is None for segment in decoded):
        return None
    return tuple(segment for segment in decoded if segment is not None)


def _plain_segment(segment: str) -> str | None:  # noqa: C901, PLR0911  a list
    if segment in {".", ".."}:
        return None
    found = b""
    rest = segment
    while rest:
        first = rest[0]
        if first != "%":
            if first not in _PLAIN:
                return None
            found += first.encode()
            rest = rest[1:]
            continue
        digits = rest[1:3]
        if len(digits) != 2 or digits[0] not in _HEX or digits[1] not in _HEX:
            return None
        byte = int(digits, 16)
        if chr(byte) in _UNRESERVED + "/\\%" or byte < 0x20 or byte == 0x7F:
            return None
        found += bytes([byte])
        rest = rest[3:]
    try:
        text = found.decode()
    except UnicodeDecodeError:
        return None
    if any(0x80 <= ord(character) < 0xA0 for character in text):
        return None
    return text
