import re
from collections.abc import Mapping, Sequence

import asyncpg
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sidecar.store.document import parse_document
from sidecar.store.document_values import RowReader, read_bigint
from sidecar.store.document_writing import (
    Written,
    json_row,
    yaml_heading,
    yaml_row,
)
from sidecar.store.exporter import export_rows
from sidecar.store.importer import ImportMode, import_document
from sidecar.store.relations import RELATIONS
from tests.store.foreign.load import Flavour, World, create_schema, load_world

# What is odd to write: numbers that are text, words of YAML, ends of lines, signs.
ODD = """
principals:
  - {id: 9223372036854775807, kind: org, deleted_at: "1999-12-31T23:59:59.5+01:00"}
  - {id: 3, kind: user, name: "a: b # c"}
  - {id: 20, kind: org, name: ""}
  - {id: 21, kind: org, name: "no"}
  - {id: 100, kind: user, name: "\\u2028\\x85\\ufeff\\t\\\\\\""}
  - {id: 0, kind: org, name: "\U0001f600 ä"}
users: [{id: 1, principal_id: 3, is_active: false}]
roles:
  - {id: "1"}
  - {id: "10", label: "~"}
  - {id: "9", label: "2030-01-31"}
  - {id: ä}
  - {id: Z, label: " x "}
  - {id: a}
access_rules: [{id: r, role_id: a, context: DATA, item: a.b, view: true, read: n}]
"""

WRITTEN = """\
principals:
  - {id: 0, kind: org, name: "\U0001f600 ä"}
  - {id: 3, kind: user, name: "a: b # c"}
  - {id: 20, kind: org, name: ""}
  - {id: 21, kind: org, name: "no"}
  - {id: 100, kind: user, name: "\\u2028\\u0085\\ufeff\\u0009\\\\\\""}
  - {id: "9223372036854775807", kind: org, deleted_at: "1999-12-31T22:59:59.500000Z"}

users:
  - {id: 1, principal_id: 3, is_active: false}

roles:
  - {id: "1"}
  - {id: "10", label: "~"}
  - {id: "9", label: "2030-01-31"}
  - {id: Z, label: " x "}
  - {id: a}
  - {id: "ä"}

access_rules:
  - {id: r, role_id: a, context: DATA, item: a.b, view: true, read: n}
"""


async def _exported(
    connection: asyncpg.Connection, without: Sequence[str] = ()
) -> dict[str, list[tuple[Written, ...]]]:
    rows: dict[str, list[tuple[Written, ...]]] = {}
    async for part in export_rows(connection, without):
        rows.setdefault(part.relation, []).extend(part.rows)
    return rows


def _text(relations: Mapping[str, Sequence[tuple[Written, ...]]]) -> str:
    return "".join(
        yaml_heading(relation, is_first=relation == next(iter(relations)))
        + "".join(yaml_row(relation, row) for row in rows)
        for relation, rows in relations.items()
    )


async def test_an_export_is_written_in_one_style(
    connection: asyncpg.Connection,
) -> None:
    """Rows come sorted by key, one a line, without defaults; odd text is quoted."""
    await import_document(connection, parse_document(ODD))

    assert _text(await _exported(connection)) == WRITTEN


async def test_an_export_gives_back_what_an_import_took(
    watched: asyncpg.Connection,
) -> None:
    """An export that is imported in place of everything is exported the same."""
    before = _text(await _exported(watched))
    document = parse_document(before)
    await import_document(watched, document, ImportMode(replaces=True))

    assert set(document.relations) == set(RELATIONS)
    assert before == _text(await _exported(watched))


async def test_a_relation_is_left_out(watched: asyncpg.Connection) -> None:
    """What is not wanted is not exported, and all the rest is."""
    relations = set(await _exported(watched, ("api_keys",)))

    assert relations == RELATIONS.keys() - {"api_keys"}


async def test_an_export_is_of_one_moment(
    watched: asyncpg.Connection, database: str
) -> None:
    """What is changed while an export goes on is not in it."""
    writer = await asyncpg.connect(database)
    parts = export_rows(watched)
    seen = [await anext(parts)]
    await writer.execute("delete from authz.feature_access_roles")
    seen += [part async for part in parts]
    await writer.close()

    assert seen[-1].relation == "feature_access_roles"


async def test_times_beyond_a_documents_years_are_bounded(
    watched: asyncpg.Connection,
) -> None:
    """A time that no document can tell becomes the nearest one, never none."""
    await watched.execute(
        "update authz.api_keys set expires_at = 'infinity',"
        " revoked_at = '0044-01-01 BC'"
    )
    [key] = (await _exported(watched))["api_keys"]

    assert key[-2:] == ("9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z")


@pytest.mark.parametrize("flavour", list(Flavour))
async def test_views_are_exported_too(
    empty_connection: asyncpg.Connection, flavour: Flavour
) -> None:
    """Over foreign tables the export is a document, in its words, in a fixed order."""
    await create_schema(empty_connection, flavour)
    await empty_connection.execute("set time zone 'Asia/Tokyo'")
    world: World = {
        "principals": [
            {"id": "2", "kind": "org", "name": "B"},
            {"id": "10", "kind": "user", "name": "no"},
            {"id": "1", "kind": "org", "deleted_at": "2030-01-31T12:00:00Z"},
        ],
        "users": [{"id": "5", "principal_id": "10", "is_active": False}],
        "principal_memberships": [
            {
                "id": "7",
                "member_principal_id": "10",
                "parent_principal_id": "2",
                "role": "admin",
            }
        ],
        "roles": [{"id": "viewer", "label": "Viewer"}],
        "access_rules": [
            {"id": "r", "role_id": "viewer", "context": "DATA", "read": "g"}
        ],
    }
    await load_world(empty_connection, world, flavour)

    written = _text(await _exported(empty_connection))
    document = parse_document(written)
    names = [row["name"] for row in document.relations["principals"]]
    assert [name or None for name in names] == [None, "B", "no"]
    [deleted] = re.findall(r'deleted_at: "(.*)"', written)
    assert deleted == "2030-01-31T12:00:00Z"
    assert {row["role"] for row in document.relations["principal_memberships"]} == {
        "admin"
    }
    assert [row["read"] for row in document.relations["access_rules"]] == ["g"]
    assert [row["is_active"] for row in document.relations["users"]] == [False]


async def test_twins_in_views_come_in_one_order(
    connection: asyncpg.Connection,
) -> None:
    """Rows of a view that share a key are told apart by the rest of them."""
    await connection.execute(
        "drop table authz.resources; create view authz.resources as"
        " select 'm' as kind, 1::bigint as id, owner as owner_principal_id,"
        " null::bigint as cluster_id, null::timestamp as deleted_at"
        " from (values (3::bigint), (null), (1), (2)) as owners (owner)"
    )
    rows = (await _exported(connection))["resources"]

    assert [row[2] for row in rows] == [1, 2, 3, None]


async def test_words_of_views_are_a_documents(
    connection: asyncpg.Connection,
) -> None:
    """Known words are written as a document has them, unknown ones as they are."""
    await connection.execute(
        "drop table authz.access_rules; create view authz.access_rules as"
        " select 'r'::text as id, 'a'::text as role_id, 'ui' as context, null as item,"
        " null::boolean as view, 'A' as read, 'X' as \"create\", null as update,"
        " null as delete"
    )
    rows = (await _exported(connection))["access_rules"]

    assert rows == [("r", "a", "UI", None, None, "a", "X", None, None)]


_STORABLE = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12
)


@given(
    name=st.one_of(
        st.none(),
        _STORABLE,
        st.sampled_from(["yes", "NULL", "1e3", "0x1", "1:30", "<<", "=", "- a", "a b"]),
    ),
    number=st.integers(-(2**63), 2**63 - 1),
)
def test_what_is_written_is_read_the_same(name: str | None, number: int) -> None:
    """Whatever text and number a row has, every reader of YAML or JSON reads them."""
    row = (number, "org", name, None, None)
    line = yaml_row("principals", row)
    [ours] = parse_document(f"principals:\n{line}").relations["principals"]
    [theirs] = yaml.safe_load(line)
    bulk = RowReader(RELATIONS["principals"], read_bigint)
    stored = bulk.read(yaml.safe_load(json_row("principals", row)))

    assert (str(number), name) == (ours["id"], ours["name"])
    assert (str(number), name) == (str(theirs["id"]), theirs.get("name"))
    assert row == stored
    assert line.count("\n") == len(line.splitlines()) == 1


def test_a_missing_value_is_told() -> None:
    """A null where a value must be is written, and so refused when it is read."""
    row = yaml_row("users", (1, None, None, None, False, True))

    assert row == "  - {id: 1, principal_id: null, is_admin: null}\n"
