"""Ids: opaque text in the core, in the canonical form of the column behind them."""

import re
from collections.abc import Callable
from enum import Enum, unique
from typing import NewType

UserId = NewType("UserId", str)
PrincipalId = NewType("PrincipalId", str)
ClusterId = NewType("ClusterId", str)
ResourceId = NewType("ResourceId", str)
MembershipId = NewType("MembershipId", str)
FeatureInstanceId = NewType("FeatureInstanceId", str)
FeatureAccessId = NewType("FeatureAccessId", str)
RoleId = NewType("RoleId", str)
RuleId = NewType("RuleId", str)

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def _integer_within(low: int, high: int) -> Callable[[str], bool]:
    def is_canonical(text: str) -> bool:
        return _INTEGER.fullmatch(text) is not None and low <= int(text) <= high

    return is_canonical


def _is_text(text: str) -> bool:
    # PostgreSQL stores neither NUL nor lone surrogates, so no row can have them.
    return bool(text) and "\0" not in text and not _has_surrogate(text)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


_is_int64 = _integer_within(-(2**63), 2**63 - 1)
_is_natural_int64 = _integer_within(0, 2**63 - 1)


def _is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


@unique
class IdType(Enum):
    """The type of an id column."""

    BIGINT = "bigint"
    INTEGER = "integer"
    UUID = "uuid"
    TEXT = "text"

    def names(self, text: str) -> bool:
        """Whether `text` is an id of this type in canonical form."""
        return _CANONICAL[self](text)

    def is_requestable(self, text: str) -> bool:
        """Whether `text` is well-formed as a requested organization.

        For integers that is any int64 >= 0, whatever the column's own width.
        """
        return _REQUESTABLE[self](text)

    def sort_key(self, text: str) -> tuple[int, str]:
        """Sorts ids of this type as the column does, texts by code point."""
        if self in {IdType.BIGINT, IdType.INTEGER} and self.names(text):
            return int(text), ""
        return 0, text


_CANONICAL: dict[IdType, Callable[[str], bool]] = {
    IdType.BIGINT: _is_int64,
    IdType.INTEGER: _integer_within(-(2**31), 2**31 - 1),
    IdType.UUID: _is_uuid,
    IdType.TEXT: _is_text,
}
_REQUESTABLE: dict[IdType, Callable[[str], bool]] = {
    IdType.BIGINT: _is_natural_int64,
    IdType.INTEGER: _is_natural_int64,
    IdType.UUID: _is_uuid,
    IdType.TEXT: _is_text,
}
