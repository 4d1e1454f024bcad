"""The relations as they are there: kinds, columns, types; and what is wrong there."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sidecar.core.ids import IdType
from sidecar.store.catalogue import OPTIONAL, Catalogue, judge_columns
from sidecar.store.doctor.findings import Finding, Mend
from sidecar.store.doctor.look import Look
from sidecar.store.doctor.retyping import retype
from sidecar.store.errors import StoreError
from sidecar.store.relations import RELATIONS, Column, Form

_COLUMNS: Final = """
select c.oid::bigint as oid, c.relname::text as relation, c.relkind::text as kind,
    format('%I.%I', n.nspname, c.relname) as sql,
    a.attname::text as column, quote_ident(a.attname) as column_sql,
    format_type(a.atttypid, null) as type
from pg_namespace as n
join pg_class as c on c.relnamespace = n.oid
left join pg_attribute as a
    on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where n.nspname = $1 and c.relname = any($2::text[])
    and c.relkind in ('r', 'p', 'v', 'm', 'f')
order by c.relname, a.attnum
"""

_ID_TYPES: Final = frozenset({"bigint", "integer", "uuid", "text", "character varying"})
_ZONED: Final = "timestamp with time zone"
_TIMES: Final = frozenset({_ZONED, "timestamp without time zone", "date"})
# How a column of the reference schema is declared anew.
_SQL_TYPES: Final[Mapping[Form, str]] = {
    Form.TENANCY_ID: "bigint",
    Form.ROLE_ID: "text",
    Form.TEXT: "text",
    Form.FLAG: "boolean",
    Form.TIME: "timestamptz",
}


@dataclass(frozen=True, slots=True)
class Held:
    """A relation that is there; `columns` from name to type, in order.

    `sql` is its name as SQL writes it, `kind` as in the catalogue.
    """

    oid: int
    name: str
    kind: str
    sql: str
    columns: Mapping[str, str]

    @property
    def is_table(self) -> bool:
        """Whether it is a table and no view."""
        return self.kind in {"r", "p"}


@dataclass(frozen=True, slots=True)
class Shape:
    """The relations that are there."""

    schema: str
    relations: Mapping[str, Held]

    @property
    def is_reference(self) -> bool:
        """Whether the relations are tables: those of the reference schema."""
        tables = [each.is_table for each in self.relations.values()]
        return bool(tables) and all(tables)

    def complete(self, relation: str) -> Held | None:
        """A relation that has all its columns, or none."""
        held = self.relations.get(relation)
        if held is None or any(
            column.name not in held.columns for column in RELATIONS[relation]
        ):
            return None
        return held

    def id_type(self, relation: str, column: str) -> str:
        """The name of the type of a column of a relation that is complete."""
        return self.relations[relation].columns[column]

    def catalogue(self) -> Catalogue | None:
        """What the store would read of it; none where it would refuse to."""
        columns = [
            (name, column, type_name)
            for name, held in self.relations.items()
            for column, type_name in held.columns.items()
        ]
        try:
            return judge_columns(self.schema, columns)
        except StoreError:
            return None


async def read_shape(look: Look) -> Shape:
    """Reads which relations are there."""
    schema = look.patient.schema
    found: dict[str, Held] = {}
    columns: dict[str, dict[str, str]] = {}
    for row in await look.fetch(_COLUMNS, schema, list(RELATIONS)):
        name = str(row["relation"])
        if name not in found:
            columns[name] = {}
            found[name] = Held(
                int(str(row["oid"])),
                name,
                str(row["kind"]),
                str(row["sql"]),
                columns[name],
            )
        if row["column"] is not None:
            columns[name][str(row["column"])] = str(row["type"])
    return Shape(schema, found)


async def check_shape(look: Look, shape: Shape) -> list[Finding]:
    """Relations and columns that are missing, and types that do not serve."""
    findings = list(_missing_relations(shape))
    for name, held in shape.relations.items():
        for column in RELATIONS[name]:
            if column.name not in held.columns:
                findings.append(_missing_column(held, column))
            else:
                findings += await _judge_type(look, held, column)
    return findings


def _missing_relations(shape: Shape) -> Iterator[Finding]:
    for name, columns in RELATIONS.items():
        if name in shape.relations or name in OPTIONAL:
            continue
        subject = f"{shape.schema}.{name}"
        if shape.relations and not shape.is_reference:
            words = (
                f"create a view `{subject}` over your tables, with the columns "
                f"{_listed(columns)}"
            )
            mend = Mend(words=words)
        else:
            mend = Mend(
                command="authz-sidecar migrate",
                words="or create views of these names over your own tables",
            )
        yield Finding("relation-missing", subject, f"there is no `{subject}`", mend)


def _missing_column(held: Held, column: Column) -> Finding:
    subject = f"{held.sql}.{column.name}"
    what = f"`{held.sql}` has no column `{column.name}`"
    if not held.is_table:
        words = f"add it to the view, of type {_SQL_TYPES[column.form]} or alike"
        return Finding("column-missing", subject, what, Mend(words=words))
    tail = "" if column.default is None else f" not null default {column.default}"
    sql = (
        f'alter table {held.sql} add column "{column.name}" '
        f"{_SQL_TYPES[column.form]}{tail.lower()};"
    )
    words = "" if not column.required or tail else "then give each row its value"
    return Finding("column-missing", subject, what, Mend((sql,), words=words))


async def _judge_type(look: Look, held: Held, column: Column) -> list[Finding]:
    type_name = held.columns[column.name]
    subject = f"{held.sql}.{column.name}"
    what = f"`{subject}` is of type {type_name}"
    code, wanted, expression = _misfit(column, type_name)
    if code is None:
        return []
    if expression is None:
        words = f"let it be of type {wanted}"
        return [Finding(code, subject, what, Mend(words=words))]
    mend = await retype(look, held.oid, column.name, wanted, expression)
    return [Finding(code, subject, what, mend)]


def _misfit(column: Column, type_name: str) -> tuple[str | None, str, str | None]:
    # The code, the type that is wanted, and an expression over `{}` that gives it.
    match column.form:
        case Form.TENANCY_ID | Form.ROLE_ID if type_name not in _ID_TYPES:
            wanted = _NEAREST_ID.get(type_name)
            expression = None if wanted is None else "{}::" + wanted
            return "id-type", wanted or "bigint, integer, uuid or text", expression
        case Form.FLAG if type_name != "boolean":
            expression = "{} <> 0" if type_name in _NUMBERS else None
            return "flag-type", "boolean", expression
        case Form.TIME if type_name not in _TIMES:
            is_flag = type_name == "boolean" and column.name != "expires_at"
            expression = "case when {} then timestamptz '-infinity' end"
            return "time-type", _ZONED, expression if is_flag else None
        case Form.TIME if column.name == "expires_at" and type_name != _ZONED:
            expression = "{}::timestamp at time zone 'UTC'"
            return "time-without-zone", _ZONED, expression
        case _:
            return None, "", None


_NUMBERS: Final = frozenset({"smallint", "integer", "bigint", "numeric"})
_NEAREST_ID: Final[Mapping[str, str]] = {
    "smallint": IdType.INTEGER.value,
    "numeric": IdType.BIGINT.value,
    "character": IdType.TEXT.value,
    "citext": IdType.TEXT.value,
    "name": IdType.TEXT.value,
}


def _listed(columns: Iterable[Column]) -> str:
    return ", ".join(column.name for column in columns)
