"""The public words of permissions and roles."""

from enum import Enum, StrEnum, unique
from functools import total_ordering
from typing import Final, NoReturn


@unique
class RuleContext(StrEnum):
    """The area in which access rules hold."""

    DATA = "DATA"
    UI = "UI"
    RESOURCE = "RESOURCE"


@unique
class Operation(StrEnum):
    """What is to be done with an item."""

    VIEW = "VIEW"
    READ = "READ"
    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


@unique
class OrgRole(StrEnum):
    """A member's role in an organization."""

    ADMIN = "ADMIN"
    USER = "USER"


@total_ordering
@unique
class AccessLevel(Enum):
    """How far an operation reaches; levels are compared with each other."""

    NONE = "NONE"
    MY = "MY"
    GROUP = "GROUP"
    ALL = "ALL"

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, AccessLevel):
            return NotImplemented
        return _RANKS[self] < _RANKS[other]

    def __bool__(self) -> NoReturn:
        # NONE would be true like every other member.
        raise TypeError("a level is neither true nor false: compare it with `>=`")


_RANKS: Final = {level: rank for rank, level in enumerate(AccessLevel)}
