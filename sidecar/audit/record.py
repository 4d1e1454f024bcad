"""What is logged: an entry as it is handed over, and the record that is made of it."""

import json
from enum import Enum, unique
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json: TypeAlias = "str | float | bool | Sequence[Json] | Mapping[str, Json] | None"
Record: TypeAlias = dict[str, Json]

# Plain ASCII, so that no line holds what somebody reads as the end of one.
_ENCODER: Final = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))


@unique
class Outcome(Enum):
    """What a call came to."""

    # Members are singletons, and each record hashes one.
    __hash__ = object.__hash__

    ALLOWED = "allowed"
    DENIED = "denied"
    ERROR = "error"


class Entry(Protocol):
    """A call as it is handed over, before anything is made of it."""

    @property
    def outcome(self) -> Outcome:
        """Only what was allowed may be left out."""
        ...

    @property
    def weight(self) -> int:
        """How much memory it holds, in bytes, roughly."""
        ...


def encoded(value: Json) -> str:
    """A value as JSON on one line."""
    return _ENCODER.encode(value)
