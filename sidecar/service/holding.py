"""What a caller holds, and what was answered of the same roles before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from sidecar.core import permissions
from sidecar.core.ids import FeatureInstanceId
from sidecar.core.model import Permissions, Role, RuleContext
from sidecar.core.permissions import HeldRole, RolePrecedence

_REMEMBERED: Final = 50_000
_KEPT: Final = 50_000
_ROLES_OF_ONE: Final = 8
_CHARACTERS_OF_ONE: Final = 128


@dataclass(frozen=True, slots=True)
class Holding:
    """What a caller holds with one instance named, or none; and what of it counts."""

    held: tuple[HeldRole, ...]
    fitting: tuple[Role, ...]


Holdings: TypeAlias = dict[FeatureInstanceId | None, Holding]


class Kept:
    """The holdings that remembered callers have, bounded by what they hold on to.

    Roles would else outlive their place in the cache with whoever holds them.
    """

    def __init__(self, most: int = _KEPT) -> None:
        """`most`: how many rules, each once, and holdings.

        A holding counts once more for each 8 roles that are held in it.
        """
        self._most = most
        self._epoch: int | None = None
        self._filled: list[Holdings] = []
        self._roles: dict[int, Role] = {}
        self._weight = 0

    def __len__(self) -> int:
        return self._weight

    def keep(
        self,
        holdings: Holdings,
        found: Mapping[FeatureInstanceId | None, Holding],
        epoch: int | None,
    ) -> None:
        """Adds what was found to a caller's holdings.

        Empties those of everybody to make room. Without an epoch the caller is
        remembered by nobody, and may have them.
        """
        if epoch is None:
            holdings.update(found)
            return
        if epoch != self._epoch:
            self._begin(epoch)
        more, roles = self._heavier_by(found)
        if self._weight + more > self._most:
            for each in self._filled:
                each.clear()
            self._begin(epoch)
            more, roles = self._heavier_by(found)
        if more > self._most:
            return
        holdings.update(found)
        self._filled.append(holdings)
        self._roles |= roles
        self._weight += more

    def _begin(self, epoch: int) -> None:
        self._epoch = epoch
        self._filled, self._roles, self._weight = [], {}, 0

    def _heavier_by(
        self, found: Mapping[FeatureInstanceId | None, Holding]
    ) -> tuple[int, dict[int, Role]]:
        held = [each for holding in found.values() for each in holding.held]
        # Values that are held keep their numbers to themselves.
        new = {
            id(each.role): each.role
            for each in held
            if each.role is not None and id(each.role) not in self._roles
        }
        own = len(found) + len(held) // _ROLES_OF_ONE
        return own + sum(map(_rules, new.values())), new


class Remembered:
    """What roles allow on the items that were asked before, by the roles.

    An answer follows from the roles alone, so it serves all who hold the same ones
    and is never out of date: a role that was changed is another value.
    """

    def __init__(self, precedence: RolePrecedence, most: int = _REMEMBERED) -> None:
        """`most`: how many answers are remembered, and rules held on to for them.

        An answer counts once more for each 128 characters of its item.
        """
        self.precedence = precedence
        self.kept = Kept()
        self._most = most
        self._epoch: int | None = None
        self._answers: dict[tuple[int, ...], Answers] = {}
        self._weight = 0

    def __len__(self) -> int:
        return self._weight

    def of(self, roles: tuple[Role, ...], epoch: int | None) -> "Answers":
        """The answers of these very values.

        After a change some of what is remembered is of roles that are no more, so it
        is forgotten with the `epoch` of the facts. Without one nothing is remembered.
        """
        if epoch is None:
            return Answers(roles, Remembered(self.precedence))
        if epoch != self._epoch:
            self._answers.clear()
            self._weight = 0
            self._epoch = epoch
        # Whoever has the answers holds on to the roles, so that no other value gets
        # the number of one of them.
        key = tuple(map(id, roles))
        answers = self._answers.get(key)
        if answers is None:
            self.grow(1 + sum(map(_rules, roles)))
            answers = self._answers[key] = Answers(roles, self)
        return answers

    def grow(self, weight: int) -> None:
        """Makes room for so much more; forgets everything when there is none."""
        self._weight += weight
        if self._weight > self._most:
            self._answers.clear()
            self._weight = weight


class Answers:
    """What some roles allow, as far as it was asked."""

    __slots__ = ("_known", "_ranks", "_remembered", "_roles")

    def __init__(self, roles: tuple[Role, ...], remembered: Remembered) -> None:
        self._roles = roles
        self._remembered = remembered
        self._ranks: dict[RuleContext, permissions.Ranks] = {}
        self._known: dict[tuple[RuleContext, str | None], Permissions] = {}

    def answer(self, context: RuleContext, item: str | None) -> Permissions:
        """What is allowed on an item; no item: on all of the context."""
        found = self._known.get((context, item))
        if found is None:
            found = permissions.union(self._ranks_of(context), item)
            self._remembered.grow(1 + len(item or "") // _CHARACTERS_OF_ONE)
            self._known[context, item] = found
        return found

    def _ranks_of(self, context: RuleContext) -> permissions.Ranks:
        ranks = self._ranks.get(context)
        if ranks is None:
            precedence = self._remembered.precedence
            ranks = permissions.ranks(self._roles, context, precedence)
            self._ranks[context] = ranks
        return ranks


def _rules(role: Role) -> int:
    return sum(map(len, role.rules.values()))
