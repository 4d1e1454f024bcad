"""Which changes each group of facts depends on.

A change is a group and a key, as the triggers tell it; a tag is a change that a
fact depends on. A fact that a change alters has that change among its tags, so
whoever keeps facts by their tags never keeps an old one.
"""

from hashlib import sha256
from typing import Literal, TypeVar

from sidecar.core.model import (
    FeatureAccess,
    InstanceStanding,
    Membership,
    Principal,
    Standing,
    UserRecord,
)
from sidecar.ports import (
    ApiKeyKey,
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

T = TypeVar("T")

Group = Literal[
    "principal",
    "user",
    "identity",
    "member",
    "grants",
    "api_key",
    "resource",
    "instance",
    "role",
    "membership_roles",
    "access",
    "access_roles",
]

# The key none stands for any key of the group.
Tag = tuple[str, str | None]

RELATION_GROUPS: dict[str, Group] = {
    "principals": "principal",
    "users": "user",
    "user_identities": "identity",
    "principal_memberships": "member",
    "cluster_access": "grants",
    "api_keys": "api_key",
    "resources": "resource",
    "feature_instances": "instance",
    "roles": "role",
    "access_rules": "role",
    "membership_roles": "membership_roles",
    "feature_access": "access",
    "feature_access_roles": "access_roles",
}

# Groups whose keys the key of the fact tells, and those that only the fact tells.
_TOLD: dict[type[FactKey[object]], frozenset[Group]] = {
    UserKey: frozenset({"user"}),
    IdentityKey: frozenset({"identity"}),
    ApiKeyKey: frozenset({"api_key"}),
    GrantsKey: frozenset({"grants"}),
    StandingKey: frozenset({"member", "principal", "grants"}),
    MembershipsKey: frozenset({"member"}),
    InstanceKey: frozenset({"instance", "access"}),
    RoleKey: frozenset({"role"}),
    ResourceKey: frozenset({"resource"}),
}
FOUND: dict[type[FactKey[object]], frozenset[Group]] = {
    **dict.fromkeys(_TOLD, frozenset[Group]()),
    UserKey: frozenset({"principal"}),
    StandingKey: frozenset({"principal", "grants", "membership_roles"}),
    MembershipsKey: frozenset({"principal"}),
    InstanceKey: frozenset({"access_roles"}),
}
GROUPS: dict[type[FactKey[object]], frozenset[Group]] = {
    key_type: told | FOUND[key_type] for key_type, told in _TOLD.items()
}


def tags(key: FactKey[T], fact: T) -> frozenset[Tag]:
    """Every change that alters `fact`, the one of `key`."""
    return told_tags(key) | _found_tags(key, fact)


def told_tags(key: FactKey[T]) -> frozenset[Tag]:
    """The changes that can be told before the fact is known."""
    match key:
        case StandingKey(member, current):
            return frozenset(
                {
                    ("member", member),
                    ("principal", current),
                    ("grants", member),
                    ("grants", current),
                }
            )
        case InstanceKey(user_id, instance_id):
            access = f"{user_id}/{instance_id}"
            return frozenset({("instance", instance_id), ("access", access)})
        case _:
            return frozenset({_told_tag(key)})


def identity_tag(issuer: str, subject: str) -> str:
    """The change key of an identity, of even length and without its text."""
    text = f"{issuer}\x1f{subject}"
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


def _told_tag(key: FactKey[T]) -> Tag:
    match key:
        case UserKey(user_id):
            return "user", user_id
        case IdentityKey(issuer, subject):
            return "identity", identity_tag(issuer, subject)
        case ApiKeyKey(lookup_id):
            return "api_key", lookup_id
        case GrantsKey(principal_id):
            return "grants", principal_id
        case _:
            return _told_tag_of_permissions(key)


def _told_tag_of_permissions(key: FactKey[T]) -> Tag:
    match key:
        case MembershipsKey(member):
            return "member", member
        case RoleKey(role_id):
            return "role", role_id
        case ResourceKey(kind, resource_id):
            return "resource", f"{kind}/{resource_id}"
        case _:
            raise TypeError(f"no dependencies are known of `{type(key).__name__}`")


def _found_tags(key: FactKey[T], fact: T) -> frozenset[Tag]:
    match fact:
        case UserRecord(principal=principal):
            return frozenset({("principal", _id_or_any(principal))})
        case Standing(membership=membership, group_ids=group_ids):
            # A group's own changes come under its parent, the current principal; a
            # twin of it, which makes it count as none, may have another parent.
            found: set[Tag] = {
                (group, group_id)
                for group in ("grants", "principal")
                for group_id in group_ids
            }
            if isinstance(membership, Membership):
                found.add(("membership_roles", membership.id))
            return frozenset(found)
        case InstanceStanding(access=FeatureAccess(id=access_id)):
            return frozenset({("access_roles", access_id)})
        case tuple() if isinstance(key, MembershipsKey):
            return frozenset(("principal", each.principal.id) for each in fact)
        case _:
            return frozenset()


def _id_or_any(principal: Principal | None) -> str | None:
    # Which principal the user names is not known when there is no such row, so
    # any change of a principal may be the one that brings it.
    return None if principal is None else principal.id
