"""Random worlds: small, with few ids, so that everything collides with everything.

A world is plausible more often than not, because rules that refuse early hide those
that come later; each row may still be missing, doubled, disabled or malformed.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.spec.world import Document, Kind, Row, World

T = TypeVar("T")
Rows = st.SearchStrategy[list[Row]]

KINDS = {
    "cluster": Kind("CLUSTER", owner=True, cluster=False),
    "region": Kind("CLUSTER", owner=True, cluster=True),
    "zone": Kind("CLUSTER", owner=False, cluster=False),
    "worker": Kind("CLUSTER_RESOURCE", owner=True, cluster=True),
    "probe": Kind("CLUSTER_RESOURCE", owner=False, cluster=True),
    "rack": Kind("CLUSTER_RESOURCE", owner=True, cluster=False),
    "model": Kind("OWNED", owner=True, cluster=False),
    "volume": Kind("OWNED", owner=True, cluster=True),
    "template": Kind("OWNED", owner=False, cluster=False),
}
SECRET = "0123456789abcdef0123456789abcdef"
SECRET_HASH = f"sha256:{hashlib.sha256(SECRET.encode()).hexdigest()}"
LOOKUP_IDS = ("k1", "k2", "k3")
ISSUER = "https://login.example"
SUBJECTS = ("ann", "bob", "cyd")
ITEMS = ("a", "a.b", "a.b.c", "ab", "a.bc", "A", "b")
LEVELS = ("n", "m", "g", "a")
LONG_AGO = "2020-01-01T00:00:00Z"
FAR_OFF = "2040-01-01T00:00:00Z"


@dataclass(frozen=True)
class Ids:
    """The ids of a world: one pool for all relations, with habitual places in it."""

    own: tuple[str, ...]  # the users' principals; also the users' ids, shifted by one
    organizations: tuple[str, ...]
    groups: tuple[str, ...]
    nobody: str

    @property
    def all(self) -> tuple[str, ...]:
        """Every id."""
        return (*self.own, *self.organizations, *self.groups, self.nobody)


# In each, organizations in the order of numbers and in that of text differ.
_NUMBERS = Ids(("0", "2", "10"), ("100", "9", "33"), ("1", "21"), "7")
IDS = {
    "bigint": _NUMBERS,
    "integer": _NUMBERS,
    "text": Ids(("u", "V", "w"), ("10", "9", "org x"), ("g", "h"), "n"),
    "uuid": Ids(
        tuple(f"00000000-0000-4000-8000-00000000000{n}" for n in "123"),
        tuple(f"{n}0000000-0000-4000-8000-00000000000a" for n in "c7f"),
        tuple(f"a0000000-0000-4000-8000-00000000000{n}" for n in "45"),
        "b0000000-0000-4000-8000-000000000000",
    ),
}


def thorough(examples: int) -> settings:
    """Settings for so many examples, and for more of them in the profile `long`."""
    return settings(
        max_examples=max(1, examples * settings.default.max_examples // 100),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def mostly(likely: Iterable[T], *unlikely: T, times: int = 4) -> st.SearchStrategy[T]:
    """One of the likely values, each so many times as likely as each other one."""
    return st.sampled_from([*[each for each in likely for _ in range(times)], *unlikely])


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A world of any id type and role precedence."""
    id_type = draw(st.sampled_from(["bigint", "text", "uuid", "integer"]))
    return World(
        draw(documents(id_type)),
        KINDS,
        draw(st.sampled_from(["union", "highest_scope"])),
        id_type,
    )


@cache
def documents(id_type: str) -> st.SearchStrategy[Document]:
    """A directory document."""
    ids = IDS[id_type]
    return st.fixed_dictionaries({**_tenancy(ids), **_callers(ids), **_roles(ids)})


def _tenancy(ids: Ids) -> dict[str, Rows]:
    return {
        "principals": _principals(ids),
        "principal_memberships": st.lists(_membership(ids), max_size=9),
        "cluster_access": st.lists(_grant(ids), max_size=6),
        "resources": st.lists(_resource(ids), max_size=8),
    }


def _principals(ids: Ids) -> Rows:
    """Each habitual principal, now and then missing or doubled."""
    habitual = {
        **dict.fromkeys(ids.own, "user"),
        **dict.fromkeys(ids.organizations, "org"),
        **dict.fromkeys(ids.groups, "group"),
    }
    each = [_copies(_principal(ids, key, kind)) for key, kind in habitual.items()]
    return _flattened(each)


def _principal(ids: Ids, key: str, kind: str) -> st.SearchStrategy[Row]:
    parents = mostly(ids.organizations[:2], *ids.all, None, times=8)
    return st.fixed_dictionaries(
        {
            "id": st.just(key),
            "kind": mostly([kind], "user", "org", "group", "team", times=30),
            "name": mostly([f"name of {key}"], None),
            "parent_principal_id": parents if kind == "group" else st.none(),
            "deleted_at": mostly([None], LONG_AGO, times=9),
        }
    )


def _membership(ids: Ids) -> st.SearchStrategy[Row]:
    parents = [*ids.organizations[:2], *ids.organizations, *ids.groups]
    return st.fixed_dictionaries(
        {
            "id": st.sampled_from(ids.all),
            "member_principal_id": mostly(ids.own, *ids.groups, times=8),
            "parent_principal_id": mostly(parents, *ids.own, ids.nobody, times=6),
            "role": st.sampled_from(["admin", "user", None]),
            "enabled": mostly([True], False, None, times=12),
            "deleted_at": mostly([None], LONG_AGO, times=12),
        }
    )


def _grant(ids: Ids) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(
        {
            "cluster_id": st.sampled_from(cluster_ids(ids)),
            "principal_id": st.sampled_from(ids.all),
        }
    )


def _resource(ids: Ids) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(
        {
            "kind": st.sampled_from(list(KINDS)),
            "id": st.sampled_from(cluster_ids(ids)),
            "owner_principal_id": mostly(ids.all, *[None] * 10),
            "cluster_id": mostly(cluster_ids(ids), None),
            "deleted_at": mostly([None], LONG_AGO, times=9),
        }
    )


def cluster_ids(ids: Ids) -> tuple[str, ...]:
    """The ids that rows and clusters have."""
    return ids.own[1], ids.organizations[0], ids.groups[0], ids.nobody


def _callers(ids: Ids) -> dict[str, Rows]:
    return {
        "users": _users(ids),
        "user_identities": st.lists(_identity(ids), max_size=4),
        "api_keys": st.lists(_api_key(ids), max_size=4),
    }


def _users(ids: Ids) -> Rows:
    """A user for each own principal, but under the id of the next one."""
    pairs = zip(ids.own, (*ids.own[1:], ids.own[0]), strict=True)
    return _flattened([_copies(_user(ids, *pair)) for pair in pairs])


def _user(ids: Ids, user_id: str, principal_id: str) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(
        {
            "id": st.just(user_id),
            "principal_id": mostly([principal_id], *ids.all, None, times=90),
            "is_admin": mostly([False], True, times=2),
            "is_system": mostly([False], True, times=5),
            "is_active": mostly([True], False, None, times=30),
        }
    )


def _identity(ids: Ids) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(
        {
            "issuer": mostly([ISSUER], "elsewhere"),
            "subject": st.sampled_from(SUBJECTS),
            "user_id": mostly(ids.own, ids.nobody),
        }
    )


def _api_key(ids: Ids) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(
        {
            "id": st.sampled_from(ids.all),
            "lookup_id": st.sampled_from(LOOKUP_IDS),
            "user_id": mostly(ids.own, ids.nobody),
            "secret_hash": mostly([SECRET_HASH], SECRET, "", times=9),
            "owner_principal_id": mostly(ids.all, *[None] * 30),
            "expires_at": mostly([None], LONG_AGO, FAR_OFF),
            "revoked_at": mostly([None], LONG_AGO),
        }
    )


def _roles(ids: Ids) -> dict[str, Rows]:
    instances, accesses = instance_ids(ids), ids.own
    return {
        "feature_instances": _flattened(
            [_copies(_instance(ids, key)) for key in instances]
        ),
        "roles": _flattened([_copies(_role(ids, key)) for key in _role_ids(ids)]),
        "access_rules": st.lists(_rule(ids), max_size=9),
        "membership_roles": st.lists(
            _pair("membership_id", ids.all, "role_id", ids), max_size=9
        ),
        "feature_access": st.lists(_access(ids), max_size=5),
        "feature_access_roles": st.lists(
            _pair("feature_access_id", accesses, "role_id", ids), max_size=5
        ),
    }


def instance_ids(ids: Ids) -> tuple[str, ...]:
    """The ids that feature instances have."""
    return ids.organizations[0], ids.own[0]


def _role_ids(ids: Ids) -> tuple[str, ...]:
    return ids.own[0], ids.organizations[1], ids.groups[0], ids.organizations[0]


def _instance(ids: Ids, key: str) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(
        {
            "id": st.just(key),
            "organization_id": mostly(ids.organizations[:2], *ids.all, times=9),
            "enabled": mostly([True], False, None, times=9),
        }
    )


def _role(ids: Ids, key: str) -> st.SearchStrategy[Row]:
    organizations = mostly(ids.organizations[:2], ids.organizations[2])
    instances = mostly(instance_ids(ids), ids.nobody)
    return st.fixed_dictionaries(
        {
            "id": st.just(key),
            "label": mostly([f"label of {key}"], None),
            "organization_id": st.none() | organizations,
            "feature_instance_id": st.none() | st.none() | instances,
        }
    )


@st.composite
def _rule(draw: st.DrawFn, ids: Ids) -> Row:
    context = draw(mostly(["DATA"], "UI", "RESOURCE", times=3))
    read = draw(mostly(LEVELS, None, times=9))
    below = LEVELS[: LEVELS.index(read or "n") + 1]
    # Mostly valid: one malformed rule silences its whole role.
    others = mostly(below, None, *LEVELS, "x", times=20)
    return {
        "id": f"rule {draw(st.integers(0, 99))}",
        "role_id": draw(st.sampled_from(_role_ids(ids))),
        "context": draw(mostly([context], "data", times=60)),
        "item": draw(mostly([*ITEMS, None, None], "", "a..b", "a b", times=20)),
        "view": draw(mostly([True, False], None, times=20)),
        "read": read,
        "create": draw(others),
        "update": draw(others),
        "delete": draw(others),
    }


def _access(ids: Ids) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(
        {
            "id": st.sampled_from(ids.own),
            "user_id": st.sampled_from(ids.own),
            "feature_instance_id": mostly(instance_ids(ids), ids.nobody),
            "enabled": mostly([True], False, None, times=9),
        }
    )


def _pair(
    one: str, ones: tuple[str, ...], other: str, ids: Ids
) -> st.SearchStrategy[Row]:
    roles = mostly(_role_ids(ids), ids.nobody)
    return st.fixed_dictionaries({one: st.sampled_from(ones), other: roles})


def _copies(row: st.SearchStrategy[Row]) -> Rows:
    """One row; seldom none, or a second one for the same key."""
    return mostly([1], 0, 2, times=40).flatmap(
        lambda size: st.lists(row, min_size=size, max_size=size)
    )


def _flattened(parts: list[Rows]) -> Rows:
    return st.tuples(*parts).map(lambda found: [row for rows in found for row in rows])
