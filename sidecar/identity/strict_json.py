"""JSON that two readers cannot understand differently."""

import json
from collections.abc import Mapping, Sequence
from typing import NoReturn, TypeAlias

Json: TypeAlias = (
    "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
)
JsonObject: TypeAlias = Mapping[str, Json]


class MalformedJsonError(ValueError):
    """No JSON object, or one that could be read in two ways."""


def parse_object(data: bytes) -> JsonObject:
    """A JSON object in UTF-8 without repeated names, NaN or Infinity.

    Raises:
        MalformedJsonError: it is anything else, or nested too deeply to be read.
    """
    try:
        found: Json = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_without_repetition,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:
        raise MalformedJsonError("no unambiguous json") from error
    if not isinstance(found, Mapping):
        raise MalformedJsonError("no json object")
    return found


def _without_repetition(pairs: list[tuple[str, Json]]) -> JsonObject:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedJsonError("a name is repeated")
    return found


def _refuse_constant(_: str) -> NoReturn:
    raise MalformedJsonError("a number is no number")
