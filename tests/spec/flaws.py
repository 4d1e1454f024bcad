"""What can be wrong with a row: it is missing, doubled, disabled or malformed."""

from dataclasses import dataclass
from functools import cache
from random import Random

from tests.spec.pools import LONG_AGO, SECRET, Ids
from tests.spec.world import Document

Change = tuple[str, object]


@dataclass(frozen=True)
class Flaw:
    """The row at `index` is there `copies` times, the last one with a change."""

    relation: str
    index: int
    copies: int
    change: Change | None


def spoil(document: Document, flaw: Flaw) -> None:
    """Puts a flaw into a document; into an empty relation none."""
    rows = document[flaw.relation]
    if not rows:
        return
    row = rows.pop(flaw.index % len(rows))
    changed = row if flaw.change is None else {**row, flaw.change[0]: flaw.change[1]}
    rows.extend([row, changed][2 - flaw.copies :])


def random_flaw(random: Random, ids: Ids) -> Flaw:
    """One flaw, in any relation."""
    changes = _changes(ids)
    # Of these there are more rows, or more ways to be wrong, than of the others.
    relations = [*changes, *["principals"] * 3, *["access_rules"] * 5]
    relation = random.choice(relations)
    index = random.randrange(8)
    if random.random() < 0.2:
        return Flaw(relation, index, random.choice((0, 2)), None)
    change = random.choice(changes[relation])
    return Flaw(relation, index, random.choice((1, 1, 2)), change)


@cache
def _changes(ids: Ids) -> dict[str, list[Change]]:
    anyone, deleted = (*ids.all, None), ("deleted_at", LONG_AGO)
    disabled: list[Change] = [("enabled", False), ("enabled", None)]
    return {
        "principals": [
            *[deleted] * 4,
            ("name", None),
            *_set("kind", "user", "org", "group", "team"),
            *_set("parent_principal_id", ids.organizations[1], None),
        ],
        "users": [
            *[("is_active", False)] * 2,
            *[("is_active", None)] * 2,
            *_set("principal_id", *ids.own, ids.organizations[0], None),
        ],
        "user_identities": [("issuer", "elsewhere"), *_set("user_id", *ids.all)],
        "principal_memberships": [
            *disabled,
            deleted,
            *_set("role", "owner", None),
            *_set("parent_principal_id", *ids.all),
        ],
        "cluster_access": _set("principal_id", *ids.all),
        "resources": [deleted, deleted, *_set("owner_principal_id", *anyone)],
        "api_keys": [
            *_set("secret_hash", "", SECRET),
            *_set("expires_at", LONG_AGO, LONG_AGO),
            *_set("revoked_at", LONG_AGO, LONG_AGO),
            *_set("owner_principal_id", *anyone),
        ],
        "feature_instances": [*disabled, *_set("organization_id", *ids.all)],
        "roles": [
            *_set("organization_id", *anyone),
            *_set("feature_instance_id", *anyone),
        ],
        "access_rules": [
            *_set("context", "DATUM", "DATUM", "DATUM", "UI"),
            *_set("item", "", "a..b", "a\u2003b", "a"),
            *_set("view", None, None),
            *_set("read", "n", "x", None),
            *_set("create", "a", "x", "x"),
            *_set("delete", "a", "x", "x"),
        ],
        "membership_roles": _set("role_id", ids.nobody),
        "feature_access": [*disabled, *_set("user_id", *ids.own)],
        "feature_access_roles": _set("role_id", ids.nobody),
    }


def _set(column: str, *values: object) -> list[Change]:
    return [(column, value) for value in values]
