"""What travels through the change channels, parsed strictly."""

import json
from dataclasses import dataclass
from typing import Final

from sidecar.store.dependencies import RELATION_GROUPS

CHANGES: Final = "authz_changes"
BEATS: Final = "authz_beat"

_GROUPS: Final = frozenset(RELATION_GROUPS.values())


@dataclass(frozen=True, slots=True)
class Change:
    """What one statement changed; no keys: any of the group.

    `transaction` is the number of the transaction that did it.
    """

    group: str
    keys: tuple[str, ...] | None
    transaction: int


def parse_change(payload: str) -> Change | None:
    """The change that a payload tells, none when it is not one of ours."""
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not {"g", "x"} <= set(value) <= {"g", "k", "x"}:
        return None
    group, transaction = value["g"], value["x"]
    keys = _keys(value["k"]) if "k" in value else None
    if not isinstance(group, str) or group not in _GROUPS:
        return None
    if not _is_number(transaction) or keys == ():
        return None
    return Change(group, keys, int(transaction))


def _keys(value: object) -> tuple[str, ...]:
    # None are as good as malformed ones: nothing was changed, so nobody tells it.
    if isinstance(value, list) and all(isinstance(key, str) for key in value):
        return tuple(value)
    return ()


def _is_number(text: object) -> bool:
    return isinstance(text, str) and text.isascii() and text.isdecimal()
