"""The checks of rows for keys, references and values, of every relation alike."""

# ruff: noqa: S608 - what is put into a statement are names that the catalogue gave

from collections.abc import Iterator, Sequence
from typing import Final

from sidecar.store.doctor.row_check import RowCheck
from sidecar.store.doctor.row_meaning import write_meaning
from sidecar.store.doctor.row_sql import KEYS, Tables
from sidecar.store.doctor.shape import Shape
from sidecar.store.relations import RELATIONS, Column, Form

# Rows that say nothing but that two belong together: without one of them, nothing.
_LINKS: Final = frozenset(
    {
        "user_identities",
        "cluster_access",
        "access_rules",
        "membership_roles",
        "feature_access_roles",
    }
)
_REFERENCES: Final = (
    ("user_identities", "user_id", "users"),
    ("principal_memberships", "member_principal_id", "principals"),
    ("principal_memberships", "parent_principal_id", "principals"),
    ("cluster_access", "principal_id", "principals"),
    ("api_keys", "user_id", "users"),
    ("api_keys", "owner_principal_id", "principals"),
    ("resources", "owner_principal_id", "principals"),
    ("roles", "feature_instance_id", "feature_instances"),
    ("access_rules", "role_id", "roles"),
    ("membership_roles", "membership_id", "principal_memberships"),
    ("membership_roles", "role_id", "roles"),
    ("feature_access", "user_id", "users"),
    ("feature_access", "feature_instance_id", "feature_instances"),
    ("feature_access_roles", "feature_access_id", "feature_access"),
    ("feature_access_roles", "role_id", "roles"),
)
_UNIQUE: Final = (
    ("principals", ("id",)),
    ("users", ("id",)),
    ("user_identities", ("issuer", "subject")),
    ("principal_memberships", ("id",)),
    ("api_keys", ("lookup_id",)),
    ("resources", ("kind", "id")),
    ("feature_instances", ("id",)),
    ("roles", ("id",)),
    ("feature_access", ("id",)),
    ("feature_access", ("user_id", "feature_instance_id")),
)
_SETS: Final = (
    ("cluster_access", ("cluster_id", "principal_id")),
    ("membership_roles", ("membership_id", "role_id")),
    ("feature_access_roles", ("feature_access_id", "role_id")),
)


def write_checks(shape: Shape, clusters: frozenset[str]) -> Iterator[RowCheck]:
    """The checks of all relations that are complete.

    `clusters`: the declared kinds whose rows are clusters.
    """
    tables = Tables(shape)
    for relation in filter(tables.has, RELATIONS):
        yield from _values(tables, relation)
    for relation, columns in _UNIQUE:
        if tables.has(relation):
            yield _doubled(tables, relation, columns)
    for relation, columns in _SETS:
        if tables.has(relation):
            yield _repeated(tables, relation, columns)
    for relation, column, target in _REFERENCES:
        if tables.has(relation, target):
            yield _broken(tables, relation, column, target)
    yield from write_meaning(tables, clusters)


def _values(tables: Tables, relation: str) -> Iterator[RowCheck]:
    for column in RELATIONS[relation]:
        # What a rule without view is, is said of rules.
        if column.form is Form.FLAG and column.name != "view":
            yield _flag(tables, relation, column)
        elif column.required and column.form is not Form.FLAG:
            yield _value(tables, relation, column)
    condition = tables.malformed_id(relation)
    if condition:
        name, subject = tables.name(relation), f"{relation}.id"
        select = f"select {KEYS[relation]} as key from {name} as r where {condition}"
        what = f"`{subject}` is empty or below zero"
        yield RowCheck("id-malformed", subject, what, select, "give it another id")


def _flag(tables: Tables, relation: str, column: Column) -> RowCheck:
    name, subject = tables.name(relation), f"{relation}.{column.name}"
    is_null = f"{column.name} is null"
    select = f"select {KEYS[relation]} as key from {name} as r where r.{is_null}"
    sql = (f"update {name} set {column.name} = false where {is_null};",)
    what = f"`{subject}` is null"
    if tables.is_table(relation):
        return RowCheck("flag-missing", subject, what, select, sql=sql)
    words = "let the view say coalesce, or the table not null"
    return RowCheck("flag-missing", subject, what, select, words)


def _value(tables: Tables, relation: str, column: Column) -> RowCheck:
    subject = f"{relation}.{column.name}"
    select = (
        f"select {KEYS[relation]} as key from {tables.name(relation)} as r "
        f"where r.{column.name} is null"
    )
    words = "give it a value, or delete the row"
    return RowCheck("value-missing", subject, f"`{subject}` is null", select, words)


def _doubled(tables: Tables, relation: str, columns: Sequence[str]) -> RowCheck:
    listed = ", ".join(tables.plain(relation, column) for column in columns)
    subject = f"{relation}.{', '.join(columns)}"
    select = (
        f"select concat_ws('/', {listed}) as key from {tables.name(relation)} as r "
        f"where {' and '.join(f'r.{column} is not null' for column in columns)} "
        f"group by {listed} having count(*) > 1"
    )
    what = f"several rows of `{relation}` have one {' and '.join(columns)}"
    words = "keep the one that is meant"
    return RowCheck("key-doubled", subject, what, select, words)


def _repeated(tables: Tables, relation: str, columns: Sequence[str]) -> RowCheck:
    listed = ", ".join(f"r.{column}" for column in columns)
    name = tables.name(relation)
    select = (
        f"select concat_ws('/', {listed}) as key from {name} as r "
        f"group by {listed} having count(*) > 1"
    )
    what = f"several rows of `{relation}` say the same"
    if not tables.is_table(relation):
        return RowCheck("row-repeated", relation, what, select, "keep one of them")
    same = " and ".join(f"a.{column} = b.{column}" for column in columns)
    sql = f"delete from {name} as a using {name} as b where a.ctid > b.ctid and {same};"
    return RowCheck("row-repeated", relation, what, select, sql=(sql,))


def _broken(tables: Tables, relation: str, column: str, target: str) -> RowCheck:
    name = tables.name(relation)
    is_there = (
        f"exists (select from {tables.name(target)} as t where "
        f"{tables.equal(('t', target, 'id'), ('r', relation, column))})"
    )
    condition = f"r.{column} is not null and not {is_there}"
    select = f"select {KEYS[relation]} as key from {name} as r where {condition}"
    subject = f"{relation}.{column}"
    what = f"`{subject}` names no row of `{target}`"
    if relation not in _LINKS:
        words = "name one that is there, or delete the row"
        return RowCheck("reference-broken", subject, what, select, words)
    if not tables.is_table(relation):
        words = "delete such rows from the table behind the view"
        return RowCheck("reference-broken", subject, what, select, words)
    sql = f"delete from {name} as r where {condition};"
    return RowCheck("reference-broken", subject, what, select, sql=(sql,))
