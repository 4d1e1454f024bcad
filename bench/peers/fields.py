"""Messages of protobuf as numbered fields, for peers whose own code is not used."""

from collections.abc import Iterator


def field(number: int, value: bytes | str | int) -> bytes:
    """One field: text, bytes or a message with its length, or a number."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    """A number in as few bytes as it needs, seven bits each."""
    parts = bytearray()
    while value > 0x7F:  # noqa: PLR2004  seven bits
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def read(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """The fields of a message, in their order.

    Raises ValueError for fields of a fixed width, which no peer's answer has.
    """
    at = 0
    while at < len(data):
        tag, at = _varint_at(data, at)
        value, at = _varint_at(data, at)
        if tag & 7 == 0:
            yield tag >> 3, value
        elif tag & 7 == 2:  # noqa: PLR2004  with a length
            yield tag >> 3, data[at : at + value]
            at += value
        else:
            raise ValueError(f"a field of the type {tag & 7} was not expected")


def _varint_at(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte <= 0x7F:  # noqa: PLR2004  the last one
            return value, at


def one(data: bytes, number: int) -> bytes | int | None:
    """The last value of a field, none when it is not there."""
    found: bytes | int | None = None
    for each, value in read(data):
        if each == number:
            found = value
    return found


def many(data: bytes, number: int) -> list[bytes]:
    """The values of a field that are messages or text."""
    return [
        value
        for each, value in read(data)
        if each == number and isinstance(value, bytes)
    ]
