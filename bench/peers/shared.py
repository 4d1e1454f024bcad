"""The part of `world.sql` that peers are told of, and what they are asked about it.

Whether a worker is visible to a user who acts in an organization: the organization owns
it, or has been granted its cluster. Its admins may change what it owns.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from bench.parts.cores import Started
from bench.parts.loads import Target
from bench.parts.world import SMALL

_STEP: Final = 7919
ORGANIZATIONS: Final = range(1, 101)
WORKERS: Final = range(1, 201)


@dataclass(frozen=True, slots=True)
class Asked:
    """May a user see these workers, in the organization that is their first?"""

    organization: int
    workers: tuple[int, ...]

    @property
    def user(self) -> int:
        """The ordinary user of `world.sql` whose first organization this is."""
        inverse = pow(_STEP, -1, SMALL.organizations)
        return (self.organization - 1) * inverse % SMALL.organizations or SMALL.users

    @property
    def expected(self) -> tuple[bool, ...]:
        """The right answers."""
        return tuple(is_visible(self.organization, each) for each in self.workers)


def owner(worker: int) -> int:
    """The organization that owns a worker."""
    return 1 + worker % SMALL.organizations


def cluster(worker: int) -> int:
    """The cluster that a worker is on."""
    return 2 + worker % 1000


def granted(organization: int) -> tuple[int, int]:
    """The clusters that are granted to an organization."""
    return 2 * organization, 2 * organization + 1


def is_visible(organization: int, worker: int) -> bool:
    """The rule, plainly."""
    return owner(worker) == organization or cluster(worker) in granted(organization)


def role(user: int) -> str:
    """What an ordinary user is in their organizations."""
    return "admin" if user % 100 == 0 else "user"


def is_writable(asked: Asked, worker: int) -> bool:
    """The rule of what may be changed, plainly."""
    return owner(worker) == asked.organization and role(asked.user) == "admin"


def to_compare() -> Iterator[Asked]:
    """Questions of which about half are answered with yes."""
    chance = random.Random(6)  # noqa: S311  the same each time, and no secret
    for organization in ORGANIZATIONS:
        seen = [each for each in WORKERS if is_visible(organization, each)]
        unseen = [each for each in WORKERS if each not in seen]
        others = chance.sample(unseen, 3)
        yield Asked(organization, (*seen, *others))


ONE: Final = Asked(7, (6,))
FIFTY: Final = Asked(7, tuple(range(6, 56)))


@dataclass(frozen=True, slots=True)
class Call:
    """A call that asks something: where, and with which body."""

    target: Target
    body: bytes


class Running(Protocol):
    """A peer that answers."""

    @property
    def started(self) -> Started:
        """Its process."""
        ...

    def call(self, asked: Asked) -> Call:
        """The call for a question: the one for one worker, or the one for many."""
        ...

    def answers(self, asked: Asked, message: bytes) -> Sequence[bool]:
        """What it says about each worker."""
        ...
