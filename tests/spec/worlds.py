"""Random worlds: small, with few ids, so that everything collides with everything.

A world is plausible, because rules that refuse early hide those that come later, but
for a few flaws.
"""

from collections.abc import Sequence
from functools import cache
from itertools import product
from math import prod
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
    LONG_AGO,
    LOOKUP_IDS,
    SECRET_HASH,
    SUBJECTS,
    Ids,
)
from tests.spec.world import Document, Row, World, part

T = TypeVar("T")
Rows = st.SearchStrategy[list[Row]]


def thorough(examples: int) -> settings:
    """Settings for so many examples, and for more of them in the profile `long`."""
    percent = settings().max_examples
    return settings(
        max_examples=max(1, examples * percent // 100),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def weighted(likely: Sequence[T], *unlikely: T, times: int = 4) -> list[T]:
    """Each of the likely values so many times, and each other one once."""
    repeated = [each for _ in range(times) for each in likely]
    # Hypothesis prefers both ends of a list, so what is unlikely stands within.
    middle = len(repeated) // 2
    return [*repeated[:middle], *unlikely, *repeated[middle:]]


def mostly(likely: Sequence[T], *unlikely: T, times: int = 4) -> st.SearchStrategy[T]:
    """One of the likely values, each so many times as likely as each other one."""
    return st.sampled_from(weighted(likely, *unlikely, times=times))


_ENABLED = (True, True, False, True)
_NO_ADMIN = (False, False, True, False, False)
_NO_SYSTEM = (False, False, False, True, False, False, False)


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
    return st.lists(flaws(ids), max_size=10)


def _tenancy(ids: Ids) -> dict[str, Rows]:
    return {
        "principals": _principals(ids),
        "principal_memberships": _memberships(ids),
        "cluster_access": st.lists(
            _row(
                {},
                cluster_id=ids.clusters,
                principal_id=ids.all,
            ),
            min_size=2,
            max_size=6,
        ),
        "resources": st.lists(_resource(ids), min_size=3, max_size=9),
    }


def _row(known: Row, **choices: Sequence[object]) -> st.SearchStrategy[Row]:
    """A row of what is known and, in one draw, a value for each other column."""
    size = prod(map(len, choices.values()))

    def chosen(number: int) -> Row:
        row = dict(known)
        for column, values in choices.items():
            number, index = divmod(number, len(values))
            row[column] = values[index]
        return row

    return st.integers(0, size - 1).map(chosen)


def _each(*rows: st.SearchStrategy[Row]) -> Rows:
    return st.tuples(*rows).map(list)


def _principals(ids: Ids) -> Rows:
    kinds = {
        **dict.fromkeys(ids.own, "user"),
        **dict.fromkeys(ids.organizations, "org"),
        **dict.fromkeys(ids.groups, "group"),
    }
    parents = weighted(ids.organizations[:1], *ids.organizations[1:], times=3)
    mortal = {ids.organizations[1], ids.groups[0]}
    rows: list[Row] = [
        {"id": key, "kind": kind, "name": f"name of {key}", "deleted_at": None}
        for key, kind in kinds.items()
    ]
    lives = {"deleted_at": weighted([None], LONG_AGO, times=2)}
    belongs = {"parent_principal_id": parents}
    return _each(
        *[
            _row(
                row,
                **(lives if row["id"] in mortal else {}),
                **(belongs if row["kind"] == "group" else {}),
            )
            for row in rows
        ]
    )


def _memberships(ids: Ids) -> Rows:
    ann, bob, _ = ids.own
    one, two, _ = ids.organizations
    pairs = [(ann, one), (bob, one), (ann, two), (ann, ids.groups[0]), (bob, two)]
    habitual = [
        _membership(
            {"id": key, "member_principal_id": member, "parent_principal_id": parent}
        )
        for key, (member, parent) in zip(ids.memberships, pairs, strict=False)
    ]
    parents = [*ids.groups, *ids.organizations, *ids.own, ids.nobody]
    other = _membership(
        {},
        id=ids.memberships,
        member_principal_id=ids.own,
        parent_principal_id=parents,
    )
    return _with_others(_each(*habitual), other, most=4)


def _membership(known: Row, **choices: Sequence[object]) -> st.SearchStrategy[Row]:
    return _row(
        {"deleted_at": None, **known},
        role=["admin", "user", None],
        enabled=_ENABLED,
        **choices,
    )


def _resource(ids: Ids) -> st.SearchStrategy[Row]:
    return _row(
        {"deleted_at": None},
        kind=list(KINDS),
        id=ids.clusters,
        owner_principal_id=weighted(ids.all, *[None] * 10),
        cluster_id=weighted(ids.clusters, None),
    )


def _callers(ids: Ids) -> dict[str, Rows]:
    # A user's id is the principal of another one.
    pairs = zip(ids.own, (*ids.own[1:], ids.own[0]), strict=True)
    users = [
        _row(
            {"id": user_id, "principal_id": principal_id, "is_active": True},
            is_admin=_NO_ADMIN,
            is_system=_NO_SYSTEM,
        )
        for user_id, principal_id in pairs
    ]
    identities = [
        _row({"issuer": ISSUER, "subject": subject, "user_id": user_id})
        for subject, user_id in zip(SUBJECTS, ids.own, strict=True)
    ]
    api_keys = [_api_key(ids, each) for each in LOOKUP_IDS]
    return {
        "users": _each(*users),
        "user_identities": _each(*identities),
        "api_keys": _each(*api_keys),
    }


def _api_key(ids: Ids, lookup_id: str) -> st.SearchStrategy[Row]:
    return _row(
        {"lookup_id": lookup_id, "secret_hash": SECRET_HASH, "revoked_at": None},
        id=ids.all,
        user_id=ids.own,
        owner_principal_id=weighted([None], *ids.all, times=16),
        expires_at=[None, FAR_OFF],
    )


def _roles(ids: Ids) -> dict[str, Rows]:
    instances = [
        _row(
            {"id": key},
            organization_id=weighted(
                ids.organizations[:1], *ids.organizations, times=4
            ),
            enabled=_ENABLED,
        )
        for key in ids.instances
    ]
    return {
        "feature_instances": _each(*instances),
        "roles": _each(*[_role(ids, key) for key in ids.roles]),
        "access_rules": st.lists(
            _rule(ids),
            min_size=6,
            max_size=12,
            unique_by=lambda rule: (rule["role_id"], rule["context"], rule["item"]),
        ),
        "membership_roles": _pairs("membership_id", ids.memberships, ids),
        "feature_access": _accesses(ids),
        "feature_access_roles": _pairs("feature_access_id", ids.own, ids),
    }


def _role(ids: Ids, key: str) -> st.SearchStrategy[Row]:
    return _row(
        {"id": key, "label": f"label of {key}"},
        organization_id=weighted([None, ids.organizations[0]], *ids.organizations),
        feature_instance_id=weighted([None], *ids.instances, times=3),
    )


def _rule(ids: Ids) -> st.SearchStrategy[Row]:
    return _row(
        {},
        role_id=ids.roles,
        context=weighted(["DATA"], "UI", "RESOURCE", times=6),
        item=[*ITEMS[:3], None, *ITEMS],
        view=(True, False),
        levels=_VALID_LEVELS,
    ).map(_spelt_out)


# Valid ones only: a malformed rule silences its whole role.
_VALID_LEVELS = [
    {"read": read, "create": create, "update": update, "delete": delete}
    for read, create, update, delete in product(LEVELS, *[[*LEVELS, None]] * 3)
    if max(map(LEVELS.index, (create or "n", update or "n", delete or "n")))
    <= LEVELS.index(read)
]


def _spelt_out(row: Row) -> Row:
    levels = part(row, "levels")
    named = {column: row[column] for column in ("role_id", "context", "item", "view")}
    return {"id": "/".join(map(str, named.values())), **named, **levels}


def _accesses(ids: Ids) -> Rows:
    bob, _, ann = ids.own
    shop, lab = ids.instances
    habitual = [
        _access({"id": key, "user_id": user, "feature_instance_id": instance})
        for key, user, instance in zip(
            ids.own, (ann, bob, ann), (shop, shop, lab), strict=True
        )
    ]
    other = _access({}, id=ids.own, user_id=ids.own, feature_instance_id=ids.instances)
    return _with_others(_each(*habitual), other, most=1)


def _access(known: Row, **choices: Sequence[object]) -> st.SearchStrategy[Row]:
    return _row(known, enabled=_ENABLED, **choices)


def _pairs(column: str, values: tuple[str, ...], ids: Ids) -> Rows:
    """A role for each value, and some more."""
    pair = _row({}, **{column: values, "role_id": ids.roles})
    habitual = [_row({column: value}, role_id=ids.roles) for value in values]
    return _with_others(_each(*habitual, *habitual[:2]), pair, most=4)


def _with_others(rows: Rows, other: st.SearchStrategy[Row], most: int) -> Rows:
    return st.tuples(rows, st.lists(other, max_size=most)).map(
        lambda parts: parts[0] + parts[1]
    )
