"""Random worlds: small, with few ids, so that everything collides with everything.

A world is plausible, because rules that refuse early hide those that come later, but
for a few flaws. It is drawn as one number: drawn row by row, Hypothesis would vary
the last world rather than take an independent one. What fails is shrunk by
`tests.spec.shrinking`.

Long, because it is one thing told in many short parts.
"""

from collections.abc import Sequence
from itertools import product
from random import Random
from typing import TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.spec.flaws import random_flaw, spoil
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
from tests.spec.world import Document, Row, World

T = TypeVar("T")

ENABLED = (True, True, True, False)
ADMIN = (True, False, False, False)
SYSTEM = (True, False, False, False, False, False)
DELETED = (LONG_AGO, None, None, None)
# Valid ones only: a malformed rule silences its whole role.
VALID_LEVELS: list[Row] = [
    {"read": read, "create": create, "update": update, "delete": delete}
    for read, create, update, delete in product(LEVELS, *[[*LEVELS, None]] * 3)
    if max(map(LEVELS.index, (create or "n", update or "n", delete or "n")))
    <= LEVELS.index(read)
]


def thorough(examples: int) -> settings:
    """Settings for so many examples, and for more of them in the profile `long`."""
    percent = settings().max_examples
    return settings(
        max_examples=max(1, examples * percent // 100),
        deadline=None,
        # Without shrinking: smaller numbers make no smaller worlds.
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


def weighted(likely: Sequence[T], *unlikely: T, times: int = 4) -> list[T]:
    """Each of the likely values so many times, and each other one once."""
    repeated = [each for _ in range(times) for each in likely]
    # Hypothesis prefers both ends of a list, so what is unlikely stands within.
    middle = len(repeated) // 2
    return [*repeated[:middle], *unlikely, *repeated[middle:]]


def worlds() -> st.SearchStrategy[World]:
    """A world of any id type and role precedence."""
    return st.integers(0, 2**24 - 1).map(random_world)


def random_world(number: int) -> World:
    """The world with that number."""
    random = Random(number)  # noqa: S311  nothing secret
    id_type = random.choice(sorted(IDS))
    ids = IDS[id_type]
    document = plausible_document(random, ids)
    for _ in range(random.choice((0, 4, 8, 12, 16))):
        spoil(document, random_flaw(random, ids))
    precedence = random.choice(("union", "highest_scope"))
    return World(document, KINDS, precedence, id_type)


def plausible_document(random: Random, ids: Ids) -> Document:
    """A directory document without a flaw."""
    return {
        **_tenancy(random, ids),
        **_callers(random, ids),
        **_roles(random, ids),
    }


def _row(random: Random, known: Row, **choices: Sequence[object]) -> Row:
    """A row of what is known, and of a value for each other column."""
    chosen = {column: random.choice(values) for column, values in choices.items()}
    return {**known, **chosen}


def _tenancy(random: Random, ids: Ids) -> Document:
    clusters, everyone = ids.clusters, ids.all
    grants = [
        _row(random, {}, cluster_id=clusters, principal_id=everyone)
        for _ in range(random.randint(2, 6))
    ]
    rows = [
        _row(
            random,
            {"deleted_at": None},
            kind=list(KINDS),
            id=clusters,
            owner_principal_id=[*everyone, None, None, None],
            cluster_id=[*clusters, None],
        )
        for _ in range(random.randint(3, 9))
    ]
    return {
        "principals": _principals(random, ids),
        "principal_memberships": _memberships(random, ids),
        "cluster_access": grants,
        "resources": rows,
    }


def _principals(random: Random, ids: Ids) -> list[Row]:
    one, two, three = ids.organizations
    group, other_group = ids.groups
    rows: list[Row] = [{"id": key, "kind": "user"} for key in ids.own]
    rows += [{"id": key, "kind": "org"} for key in (one, three)]
    rows.append(_row(random, {"id": two, "kind": "org"}, deleted_at=DELETED))
    parents = weighted([one], two, three, times=3)
    for key, deleted in ((group, DELETED), (other_group, [None])):
        known: Row = {"id": key, "kind": "group"}
        rows.append(
            _row(random, known, parent_principal_id=parents, deleted_at=deleted)
        )
    return [{"name": f"name of {row['id']}", **row} for row in rows]


def _memberships(random: Random, ids: Ids) -> list[Row]:
    """The habitual ones, and others that may double them."""
    ann, bob, _ = ids.own
    one, two, _ = ids.organizations
    pairs = [(ann, one), (bob, one), (ann, two), (ann, ids.groups[0]), (bob, two)]
    pairs += [
        (random.choice(ids.own), random.choice(ids.all))
        for _ in range(random.randint(0, 4))
    ]
    keys = [*ids.memberships, *random.choices(ids.memberships, k=4)]
    return [
        _row(
            random,
            {"id": key, "member_principal_id": member, "parent_principal_id": parent},
            role=("admin", "user", None),
            enabled=ENABLED,
        )
        for key, (member, parent) in zip(keys, pairs, strict=False)
    ]


def _callers(random: Random, ids: Ids) -> Document:
    # A user's id is the principal of another one.
    pairs = zip(ids.own, (*ids.own[1:], ids.own[0]), strict=True)
    users = [
        _row(
            random,
            {"id": user_id, "principal_id": principal_id},
            is_admin=ADMIN,
            is_system=SYSTEM,
        )
        for user_id, principal_id in pairs
    ]
    identities: list[Row] = [
        {"issuer": ISSUER, "subject": subject, "user_id": user_id}
        for subject, user_id in zip(SUBJECTS, ids.own, strict=True)
    ]
    api_keys = [
        _row(
            random,
            {"id": key, "lookup_id": lookup_id, "secret_hash": SECRET_HASH},
            user_id=ids.own,
            owner_principal_id=weighted([None], *ids.all, times=16),
            expires_at=(None, FAR_OFF),
        )
        for key, lookup_id in zip(ids.all, LOOKUP_IDS, strict=False)
    ]
    return {"users": users, "user_identities": identities, "api_keys": api_keys}


def _roles(random: Random, ids: Ids) -> Document:
    one = ids.organizations[0]
    instances = [
        _row(
            random,
            {"id": key},
            organization_id=weighted([one], *ids.organizations),
            enabled=ENABLED,
        )
        for key in ids.instances
    ]
    roles = [
        _row(
            random,
            {"id": key, "label": f"label of {key}"},
            organization_id=weighted([None, one], *ids.organizations),
            feature_instance_id=weighted([None], *ids.instances, times=3),
        )
        for key in ids.roles
    ]
    return {
        "feature_instances": instances,
        "roles": roles,
        "access_rules": _rules(random, ids),
        "membership_roles": _assigned(random, ids, "membership_id", ids.memberships),
        "feature_access": _accesses(random, ids),
        "feature_access_roles": _assigned(random, ids, "feature_access_id", ids.own),
    }


def _rules(random: Random, ids: Ids) -> list[Row]:
    rules: dict[str, Row] = {}
    for _ in range(random.randint(6, 12)):
        rule = _row(
            random,
            {},
            role_id=ids.roles,
            context=weighted(["DATA"], "UI", "RESOURCE"),
            item=[*ITEMS[:3], None, *ITEMS],
            view=(True, False),
        )
        key = "/".join(map(str, rule.values()))
        rules[key.rpartition("/")[0]] = {**rule, **random.choice(VALID_LEVELS)}
    return [{"id": key, **rule} for key, rule in rules.items()]


def _accesses(random: Random, ids: Ids) -> list[Row]:
    bob, _, ann = ids.own
    shop, lab = ids.instances
    found = [(ann, shop), (bob, shop), (ann, lab)]
    return [
        _row(
            random,
            {"id": key, "user_id": user, "feature_instance_id": instance},
            enabled=ENABLED,
        )
        for key, (user, instance) in zip(ids.own, found, strict=True)
    ]


def _assigned(
    random: Random, ids: Ids, column: str, values: tuple[str, ...]
) -> list[Row]:
    """A role for each value, and some more."""
    more = random.choices(values, k=random.randint(2, 6))
    return [
        _row(random, {column: value}, role_id=ids.roles) for value in (*values, *more)
    ]
