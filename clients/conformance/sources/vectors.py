"""A vector: one call in one world, and what it must answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

Row: TypeAlias = Mapping[str, object]

_WORDS: Final = re.compile(r"[a-z0-9]+")
_BIG_LETTER: Final = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Vector:
    """One call, and the response or the error that is wanted, in bare JSON.

    `is_raw`: no typed client can ask this; a runner may skip it.
    """

    sentence: str
    call: str
    request: Row
    want: Row
    group: str = ""
    is_raw: bool = False

    def told(self, file: str) -> dict[str, object]:
        """The vector as it stands in a file."""
        slug = "-".join(_WORDS.findall(self.sentence.lower()))
        told: dict[str, object] = {
            "id": f"{file}/{slug}",
            "group": self.group or snake(self.call),
            "says": self.sentence,
            "call": self.call,
            "request": self.request,
            "want": self.want,
        }
        return {**told, "raw": True} if self.is_raw else told


def snake(call: str) -> str:
    """The name of a call as groups have it."""
    return _BIG_LETTER.sub("_", call).lower()


def answered(**response: object) -> Row:
    """The wish for a response."""
    return {"response": response}


def refused(code: str, reason: str, field: str | None = None) -> Row:
    """The wish for an error."""
    error = {"code": code, "reason": reason}
    return {"error": error if field is None else {**error, "field": field}}


def malformed(field: str) -> Row:
    """The wish for the refusal of a malformed field."""
    return refused("INVALID_ARGUMENT", "MALFORMED_FIELD", field)
