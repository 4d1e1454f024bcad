"""Random worlds: small, with few ids, so that everything collides with everything.

A world is plausible, because rules that refuse early hide those that come later, but
for a few flaws.
"""

from collections.abc import Iterable
from functools import cache
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.spec.flaws import Flaw, flaws, spoil
from tests.spec.pools import (
    FAR_OFF,
    IDS,
    ISSUER,
    ITEMS,
    KINDS,
    LEVELS,
    LOOKUP_IDS,
    SECRET_HASH,
    SUBJECTS,
    Ids,
)
from tests.spec.world import Document, Row, World

T = TypeVar("T")
Rows = st.SearchStrategy[list[Row]]


def thorough(examples: int) -> settings:
    """Settings for so many examples, and for more of them in the profile `long`."""
    return settings(
        max_examples=max(1, examples * settings.default.max_examples // 100),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def mostly(likely: Iterable[T], *unlikely: T, times: int = 4) -> st.SearchStrategy[T]:
    """One of the likely values, each so many times as likely as each other one."""
    weighted = [each for _ in range(times) for each in likely]
    # Hypothesis prefers both ends of a list, so what is unlikely stands within.
    middle = len(weighted) // 2
    return st.sampled_from([*weighted[:middle], *unlikely, *weighted[middle:]])


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A world of any id type and role precedence."""
    id_type = draw(st.sampled_from(["bigint", "text", "integer", "uuid"]))
    precedence = draw(st.sampled_from(["union", "highest_scope"]))
    document = draw(plausible_documents(IDS[id_type]))
    for flaw in draw(_several_flaws(IDS[id_type])):
        spoil(document, flaw)
    return World(document, KINDS, precedence, id_type)


@cache
def plausible_documents(ids: Ids) -> st.SearchStrategy[Document]:
    """A directory document without a flaw."""
    return st.fixed_dictionaries({**_tenancy(ids), **_callers(ids), **_roles(ids)})


@cache
def _several_flaws(ids: Ids) -> st.SearchStrategy[list[Flaw]]:
    return st.lists(flaws(ids), max_size=8)


def _tenancy(ids: Ids) -> dict[str, Rows]:
    return {
        "principals": _principals(ids),
        "principal_memberships": _memberships(ids),
        "cluster_access": st.lists(
            _row(
                cluster_id=st.sampled_from(ids.clusters),
                principal_id=st.sampled_from(ids.all),
            ),
            min_size=2,
            max_size=6,
        ),
        "resources": st.lists(_resource(ids), min_size=3, max_size=9),
    }


def _row(**columns: st.SearchStrategy[object]) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(columns)


def _each(*rows: st.SearchStrategy[Row]) -> Rows:
    return st.tuples(*rows).map(list)


def _principals(ids: Ids) -> Rows:
    kinds = {
        **dict.fromkeys(ids.own, "user"),
        **dict.fromkeys(ids.organizations, "org"),
        **dict.fromkeys(ids.groups, "group"),
    }
    parents = mostly(ids.organizations[:1], *ids.organizations[1:], times=3)
    rows = [
        _row(
            id=st.just(key),
            kind=st.just(kind),
            name=st.just(f"name of {key}"),
            parent_principal_id=parents if kind == "group" else st.none(),
            deleted_at=st.none(),
        )
        for key, kind in kinds.items()
    ]
    return _each(*rows)


def _memberships(ids: Ids) -> Rows:
    ann, bob, _ = ids.own
    one, two, _ = ids.organizations
    pairs = [(ann, one), (bob, one), (ann, two), (ann, ids.groups[0])]
    habitual = [
        _membership(st.just(key), st.just(member), st.just(parent))
        for key, (member, parent) in zip(ids.memberships, pairs, strict=False)
    ]
    parents = st.sampled_from([*ids.groups, *ids.organizations, *ids.own, ids.nobody])
    other = _membership(
        st.sampled_from(ids.memberships), st.sampled_from(ids.own), parents
    )
    return st.tuples(_each(*habitual), st.lists(other, max_size=4)).map(
        lambda parts: parts[0] + parts[1]
    )


def _membership(
    key: st.SearchStrategy[str],
    member: st.SearchStrategy[str],
    parent: st.SearchStrategy[str],
) -> st.SearchStrategy[Row]:
    return _row(
        id=key,
        member_principal_id=member,
        parent_principal_id=parent,
        role=st.sampled_from(["admin", "user", None]),
        enabled=mostly([True], False, times=8),
        deleted_at=st.none(),
    )


def _resource(ids: Ids) -> st.SearchStrategy[Row]:
    return _row(
        kind=st.sampled_from(list(KINDS)),
        id=st.sampled_from(ids.clusters),
        owner_principal_id=mostly(ids.all, *[None] * 10),
        cluster_id=mostly(ids.clusters, None),
        deleted_at=st.none(),
    )


def _callers(ids: Ids) -> dict[str, Rows]:
    # A user's id is the principal of another one.
    pairs = zip(ids.own, (*ids.own[1:], ids.own[0]), strict=True)
    users = [
        _row(
            id=st.just(user_id),
            principal_id=st.just(principal_id),
            is_admin=mostly([False], True, times=3),
            is_system=mostly([False], True, times=7),
            is_active=st.just(value=True),
        )
        for user_id, principal_id in pairs
    ]
    identities = [
        _row(issuer=st.just(ISSUER), subject=st.just(each), user_id=st.just(user_id))
        for each, user_id in zip(SUBJECTS, ids.own, strict=True)
    ]
    api_keys = [_api_key(ids, each) for each in LOOKUP_IDS]
    return {
        "users": _each(*users),
        "user_identities": _each(*identities),
        "api_keys": _each(*api_keys),
    }


def _api_key(ids: Ids, lookup_id: str) -> st.SearchStrategy[Row]:
    return _row(
        id=st.sampled_from(ids.all),
        lookup_id=st.just(lookup_id),
        user_id=st.sampled_from(ids.own),
        secret_hash=st.just(SECRET_HASH),
        owner_principal_id=mostly([None], *ids.all, times=16),
        expires_at=st.sampled_from([None, FAR_OFF]),
        revoked_at=st.none(),
    )


def _roles(ids: Ids) -> dict[str, Rows]:
    instances = [
        _row(
            id=st.just(key),
            organization_id=mostly(ids.organizations[:1], *ids.organizations, times=4),
            enabled=mostly([True], False, times=8),
        )
        for key in ids.instances
    ]
    return {
        "feature_instances": _each(*instances),
        "roles": _each(*[_role(ids, key) for key in ids.roles]),
        "access_rules": st.lists(
            _rule(ids),
            min_size=4,
            max_size=10,
            unique_by=lambda rule: (rule["role_id"], rule["context"], rule["item"]),
        ),
        "membership_roles": _pairs(
            "membership_id", (*ids.memberships, *ids.memberships[:2]), ids
        ),
        "feature_access": st.lists(_access(ids), min_size=2, max_size=5),
        "feature_access_roles": _pairs("feature_access_id", ids.own, ids),
    }


def _role(ids: Ids, key: str) -> st.SearchStrategy[Row]:
    return _row(
        id=st.just(key),
        label=st.just(f"label of {key}"),
        organization_id=mostly([None, ids.organizations[0]], *ids.organizations),
        feature_instance_id=mostly([None], *ids.instances, times=3),
    )


@st.composite
def _rule(draw: st.DrawFn, ids: Ids) -> Row:
    context = draw(mostly(["DATA"], "UI", "RESOURCE", times=6))
    read = draw(st.sampled_from(LEVELS))
    below = st.sampled_from([*LEVELS[: LEVELS.index(read) + 1], None])
    return {
        "id": f"rule {draw(st.integers(0, 99))}",
        "role_id": draw(st.sampled_from(ids.roles)),
        "context": context,
        "item": draw(st.sampled_from([*ITEMS[:3], None, *ITEMS])),
        "view": draw(st.booleans()),
        "read": read,
        "create": draw(below),
        "update": draw(below),
        "delete": draw(below),
    }


def _access(ids: Ids) -> st.SearchStrategy[Row]:
    return _row(
        id=st.sampled_from(ids.own),
        user_id=st.sampled_from(ids.own),
        feature_instance_id=st.sampled_from(ids.instances),
        enabled=mostly([True], False, times=8),
    )


def _pairs(column: str, values: tuple[str, ...], ids: Ids) -> Rows:
    pair = st.fixed_dictionaries(
        {column: st.sampled_from(values), "role_id": st.sampled_from(ids.roles)}
    )
    return st.lists(pair, min_size=3, max_size=8)
