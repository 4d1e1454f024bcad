"""What the reference is asked about: a directory document and the settings that matter.

A document maps a relation's name to its rows; a row maps a column to its value. Ids are
text, and a column that is absent has the document format's default.
"""

from dataclasses import dataclass

Row = dict[str, object]
Document = dict[str, list[Row]]


@dataclass(frozen=True)
class Kind:
    """A declared kind of resource: its visibility rule and the columns it carries."""

    visibility: str  # OWNED, CLUSTER or CLUSTER_RESOURCE
    owner: bool
    cluster: bool


@dataclass(frozen=True)
class World:
    """Everything that an answer may depend on, the request aside."""

    document: Document
    kinds: dict[str, Kind]
    role_precedence: str = "union"  # or highest_scope
    organization_id_type: str = "bigint"  # or integer, uuid, text
    now: str = "2026-01-01T00:00:00Z"  # judges the expiry of API keys


def rows(world: World, relation: str, **wanted: object) -> list[Row]:
    """All rows of a relation whose columns have the wanted values."""
    return [
        row
        for row in world.document.get(relation, [])
        if all(row.get(column) == value for column, value in wanted.items())
    ]


def only_row(world: World, relation: str, **key: object) -> Row | None:
    """The row with this key; none when there is none, or more than one."""
    found = rows(world, relation, **key)
    return found[0] if len(found) == 1 else None


def text(fields: Row, name: str) -> str | None:
    """A field that is text or absent."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"`{name}` is not text")
    return value


def part(fields: Row, name: str) -> Row:
    """A field that is a message; absent means an empty one."""
    value = fields.get(name, {})
    if not isinstance(value, dict):
        raise TypeError(f"`{name}` is not a message")
    return value


def parts(fields: Row, name: str) -> list[Row]:
    """A field that is a list of messages; absent means an empty one."""
    value = fields.get(name, [])
    if not isinstance(value, list):
        raise TypeError(f"`{name}` is not a list")
    return value
