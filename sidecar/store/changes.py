"""What travels through the change channels, parsed strictly."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sidecar.store.dependencies import RELATION_GROUPS
from sidecar.store.heard import Snapshot, parse_snapshot

CHANGES: Final = "authz_changes"
BEATS: Final = "authz_beat"

# Of 64 bits, which a transaction's number has.
_DIGITS: Final = 20
_GROUPS: Final = frozenset(RELATION_GROUPS.values())


@dataclass(frozen=True, slots=True)
class Change:
    """What one statement changed; no keys: any of the group.

    `transaction` is the number of the transaction that did it.
    """

    group: str
    keys: tuple[str, ...] | None
    transaction: int


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life, for all who listen.

    `nonce` says to its sender which it is. `snapshot` was taken in the transaction
    that sent it, whose number is `transaction`.
    """

    nonce: str
    snapshot: Snapshot
    transaction: int


def parse_change(payload: str) -> Change | None:
    """The change that a payload tells, none when it is not one of ours."""
    value = _mapping(payload)
    if not {"g", "x"} <= set(value) <= {"g", "k", "x"}:
        return None
    group, transaction = value["g"], value["x"]
    keys = _keys(value["k"]) if "k" in value else None
    if not isinstance(group, str) or group not in _GROUPS:
        return None
    if not _is_number(transaction) or keys == ():
        return None
    return Change(group, keys, int(str(transaction)))


def parse_beat(payload: str) -> Beat | None:
    """The beat that a payload is, none when it is not one of ours."""
    value = _mapping(payload)
    if set(value) != {"g", "n", "s", "x"} or value["g"] != "beat":
        return None
    nonce, transaction = value["n"], value["x"]
    snapshot = parse_snapshot(value["s"])
    if not isinstance(nonce, str) or not _is_number(transaction) or snapshot is None:
        return None
    xid = int(str(transaction))
    # A transaction gets its number after the snapshot of its one statement.
    return Beat(nonce, snapshot, xid) if snapshot.xmax <= xid else None


def _mapping(payload: str) -> Mapping[str, object]:
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _keys(value: object) -> tuple[str, ...]:
    # None are as good as malformed ones: nothing was changed, so nobody tells it.
    if isinstance(value, list) and all(map(_is_text, value)):
        return tuple(value)
    return ()


def _is_text(value: object) -> bool:
    # JSON can escape halves of characters, which no database holds and no client
    # can be told.
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_number(text: object) -> bool:
    if not isinstance(text, str) or len(text) > _DIGITS:
        return False
    return text.isascii() and text.isdecimal()
