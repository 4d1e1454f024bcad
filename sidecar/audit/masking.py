"""Fields replaced by keyed digests: equal values stay equal, and unreadable."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, unique
from typing import Final

from sidecar.audit.record import Json, Record

_DIGEST_BYTES: Final = 8


@unique
class Maskable(Enum):
    """What can be masked, by the name that settings have for it."""

    USER_ID = "user_id"
    SUBJECT = "subject"
    PRINCIPAL_ID = "principal_id"
    ORGANIZATION_ID = "organization_id"
    CLUSTER_ID = "cluster_id"
    RESOURCE_ID = "resource_id"
    ITEM = "item"
    NAME = "name"
    PATH = "path"
    PEER = "peer"


_EVERYWHERE: Final = ("caller", "proved", "context", "question", "answer")
# The parts of a record in which a field may be, and its names there.
_PLACES: Final[dict[Maskable, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    Maskable.USER_ID: (_EVERYWHERE, ("user_id",)),
    Maskable.SUBJECT: (("caller",), ("subject",)),
    Maskable.PRINCIPAL_ID: (
        _EVERYWHERE,
        (
            "principal_id",
            "pinned_principal_id",
            "current_principal_id",
            "write_principal_id",
            "owner_principal_id",
        ),
    ),
    Maskable.ORGANIZATION_ID: (("caller",), ("organization_id",)),
    Maskable.CLUSTER_ID: (_EVERYWHERE, ("cluster_id", "accessible_cluster_ids")),
    Maskable.RESOURCE_ID: (("question",), ("id", "feature_instance_id")),
    Maskable.ITEM: (("question",), ("item",)),
    Maskable.NAME: (("answer",), ("name",)),
    Maskable.PATH: (("edge",), ("path",)),
    Maskable.PEER: ((), ()),
}
# A list filter, and its SQL, compares with ids of every kind.
_FILTERED: Final = frozenset(Maskable) - {
    Maskable.SUBJECT, Maskable.ITEM, Maskable.NAME, Maskable.PATH, Maskable.PEER,
}  # fmt: skip
_FILTER: Final = "filter"
_FILTER_KEYS: Final = frozenset({"value", "values", "parameters"})
# Of these the answer is decisions, which name nobody.
_DECISIONS: Final = frozenset(
    {
        "CheckVisible",
        "CheckWritable",
        "CheckCreatable",
        "CheckRole",
        "Authorize",
        "Check",
    }
)


class Masks:
    """Masks the fields that it was told to."""

    def __init__(self, masked: Iterable[Maskable], key: bytes) -> None:
        """`key`: of 16 to 64 bytes; equal values are equal under the same key."""
        chosen = frozenset(masked)
        self._key = key
        self._names = {name: each.value for each in chosen for name in _PLACES[each][1]}
        self._parts = {part for each in chosen for part in _PLACES[each][0]}
        if chosen & _FILTERED:
            self._names.update(dict.fromkeys(_FILTER_KEYS, _FILTER))
            self._parts.add("answer")
        self._masks_peer = Maskable.PEER in chosen

    def apply(self, record: Record) -> None:
        """Masks the record itself, but none of the values that it shares with others.

        What was masked is named in its `masked`.
        """
        found: set[str] = set()
        for part in self._parts:
            is_named = part != "answer" or record["rpc"] not in _DECISIONS
            if is_named and part in record:
                record[part] = self._masked(record[part], found)
        peer = record["peer"]
        if self._masks_peer and isinstance(peer, str) and peer:
            record["peer"] = self._digest(peer)
            found.add(Maskable.PEER.value)
        before = record["masked"]
        if found and isinstance(before, Sequence):
            record["masked"] = [*before, *sorted(found)]

    def _masked(self, value: Json, found: set[str]) -> Json:
        if isinstance(value, Mapping):
            return {
                name: self._masked(each, found)
                if name not in self._names
                else self._hidden(each, found, name)
                for name, each in value.items()
            }
        if isinstance(value, list):
            return [self._masked(each, found) for each in value]
        return value

    def _hidden(self, value: Json, found: set[str], name: str) -> Json:
        if value is None or value == "" or isinstance(value, bool):
            return value
        if isinstance(value, list):
            return [self._hidden(each, found, name) for each in value]
        if isinstance(value, Mapping):
            if name not in _FILTER_KEYS:
                # A message that is called like the field which it has.
                return self._masked(value, found)
            return {key: self._hidden(each, found, name) for key, each in value.items()}
        found.add(self._names[name])
        return self._digest(str(value))

    def _digest(self, text: str) -> str:
        digest = hashlib.blake2b(
            text.encode(), digest_size=_DIGEST_BYTES, key=self._key
        )
        return f"<masked:{digest.hexdigest()}>"
