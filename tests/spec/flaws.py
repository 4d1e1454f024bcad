"""What can be wrong with a row: it is missing, doubled, disabled or malformed."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from hypothesis import strategies as st

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


@cache
def flaws(ids: Ids) -> st.SearchStrategy[Flaw]:
    """One flaw, in any relation."""
    each = {relation: _flaw(relation, found) for relation, found in _changes(ids)}
    # Of these there are more rows, or more ways to be wrong, than of the others.
    more = [each["principals"]] * 2 + [each["access_rules"]] * 3
    return st.one_of([*each.values(), *more])


def _flaw(relation: str, changes: list[Change]) -> st.SearchStrategy[Flaw]:
    options: list[tuple[int, Change | None]] = [(0, None), (2, None)]
    # To change a row is twice as likely as to add a changed copy.
    options += [(copies, change) for change in changes for copies in (1, 1, 2)]
    return st.builds(
        lambda index, option: Flaw(relation, index, *option),
        st.integers(0, 7),
        st.sampled_from(options),
    )


def _changes(ids: Ids) -> Iterable[tuple[str, list[Change]]]:
    anyone, deleted = (*ids.all, None), ("deleted_at", LONG_AGO)
    disabled: list[Change] = [("enabled", False), ("enabled", None)]
    changes: dict[str, list[Change]] = {
        "principals": [
            *[deleted] * 4,
            ("name", None),
            *_set("kind", "user", "org", "group", "team"),
            *_set("parent_principal_id", ids.organizations[1], None),
        ],
        "users": [
            *_set("is_active", False, None, False, None),
            *_set("principal_id", *ids.own, ids.organizations[0], None),
        ],
        "user_identities": [("issuer", "elsewhere"), *_set("user_id", *ids.all)],
        "principal_memberships": [
            *disabled,
            deleted,
            ("role", None),
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
            *_set("context", "data", "UI"),
            *_set("item", "", "a..b", "a\u2003b", "a"),
            *_set("view", None, None),
            *_set("read", "n", "x", None),
            *_set("create", "a", "x"),
            *_set("delete", "a"),
        ],
        "membership_roles": _set("role_id", ids.nobody),
        "feature_access": [*disabled, *_set("user_id", *ids.own)],
        "feature_access_roles": _set("role_id", ids.nobody),
    }
    return changes.items()


def _set(column: str, *values: object) -> list[Change]:
    return [(column, value) for value in values]
