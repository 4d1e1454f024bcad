"""How much each fact weighs in a cache, and how much each cache may hold."""

from collections.abc import Callable
from dataclasses import dataclass, fields

from sidecar.core.model import InstanceStanding, Role, Standing
from sidecar.ports import (
    ApiKeyKey,
    ApiKeyRecord,
    FactKey,
    GrantsKey,
    IdentityKey,
    InstanceKey,
    MembershipsKey,
    ResourceKey,
    RoleKey,
    StandingKey,
    UserKey,
)

_CHARACTERS_OF_ONE = 128


@dataclass(frozen=True, slots=True)
class Limit:
    """The greatest weights of what is there and of what is not.

    What is not there is held apart, so that ids that somebody makes up push out
    nothing but one another.
    """

    present: int
    absent: int


@dataclass(frozen=True, slots=True)
class CacheSizes:
    """The limits of all caches.

    One weighs a fact with nothing in it (about 1 KiB of memory with its place in
    the cache); each grant, group, role, rule and membership adds one, and so do
    128 characters of text.
    """

    users: Limit = Limit(100_000, 10_000)
    identities: Limit = Limit(100_000, 10_000)
    api_keys: Limit = Limit(100_000, 10_000)
    grants: Limit = Limit(100_000, 10_000)
    standings: Limit = Limit(400_000, 20_000)
    memberships: Limit = Limit(100_000, 10_000)
    instances: Limit = Limit(200_000, 20_000)
    roles: Limit = Limit(200_000, 10_000)
    resources: Limit = Limit(200_000, 20_000)

    def limit(self, key_type: type[FactKey[object]]) -> Limit:
        """The limit of the facts of one type of key."""
        return _LIMITS[key_type](self)


_LIMITS: dict[type[FactKey[object]], Callable[[CacheSizes], Limit]] = {
    UserKey: lambda sizes: sizes.users,
    IdentityKey: lambda sizes: sizes.identities,
    ApiKeyKey: lambda sizes: sizes.api_keys,
    GrantsKey: lambda sizes: sizes.grants,
    StandingKey: lambda sizes: sizes.standings,
    MembershipsKey: lambda sizes: sizes.memberships,
    InstanceKey: lambda sizes: sizes.instances,
    RoleKey: lambda sizes: sizes.roles,
    ResourceKey: lambda sizes: sizes.resources,
}


def is_absent(fact: object) -> bool:
    """Whether a fact tells only that something is not there.

    An outsider's standing and an instance without access count too: whoever can
    name what exists could otherwise push out what members need.
    """
    match fact:
        case None | Standing(membership=None) | InstanceStanding(access=None):
            return True
        case _:
            return False


def weight(key: FactKey[object], fact: object) -> int:
    """What a fact weighs with its key, at least one."""
    return 1 + parts(fact) + _characters(key, fact) // _CHARACTERS_OF_ONE


def parts(fact: object) -> int:
    """How many grants, groups, roles, rules or memberships a fact has."""
    match fact:
        case Standing(group_ids=groups, cluster_ids=clusters, role_ids=roles):
            return len(groups) + len(clusters) + len(roles)
        case Role(rules=rules):
            return sum(len(each) for each in rules.values())
        case InstanceStanding(access=access) if access is not None:
            return len(access.role_ids)
        case tuple() | frozenset():
            return len(fact)
        case _:
            return 0


def _characters(key: FactKey[object], fact: object) -> int:
    texts = [str(getattr(key, field.name)) for field in fields(key)]
    match fact:
        case Role(label=label, rules=rules):
            items = (item or "" for each in rules.values() for item in each)
            texts += [label, *items]
        case ApiKeyRecord(secret_hash=secret_hash):
            texts.append(secret_hash)
        case Standing(principal=principal) if principal is not None:
            texts.append(principal.name)
        case _:
            pass
    return sum(len(text) for text in texts)
