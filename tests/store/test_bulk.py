import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import asyncpg
import pytest

from sidecar.store.bulk import BATCH_ROWS, open_folder
from sidecar.store.document import DocumentError
from sidecar.store.importer import ImportMode, Progress, import_folder
from tests.store.ear import Ear

Row = Mapping[str, object]

# The lines of `roles`, and what is said of the second of them.
WRONG = {
    "": "2:1: roles[1]: is no row as JSON",
    '{"id": 1,': "2:10: roles[1]: is no row as JSON",
    "[" * 100_000: "roles[1]: is no row as JSON",
    "[]": "2:1: roles[1]: must be a mapping from columns to values",
    '{"id": 1, "id": 2}': "2:11: roles[1]: `id` stands twice in one mapping",
    '{"id": 1, "scope": 2}': "2:11: roles[1]: there is no column `scope`",
    '{"label": "x"}': "2:1: roles[1].id: is missing",
    '\t{"label": "x", "id": null}': "2:23: roles[1].id: is missing",
    '{"label": {"id": 1}, "id": 1}': (
        "2:11: roles[1].label: `{…}` is no text; put it in quotes"
    ),
    '{"id": 1, "organization_id": 9223372036854775808}': (
        "2:30: roles[1].organization_id: `9223372036854775808` is not a whole number "
        "of 64 bits without leading zeros"
    ),
    '{"id": 1, "organization_id": "07"}': (
        "2:30: roles[1].organization_id: `07` is not a whole number of 64 bits without "
        "leading zeros"
    ),
    '{"id": 1, "organization_id": 1.5}': (
        "2:30: roles[1].organization_id: `1.5` is no id: a whole number, or text in "
        "quotes"
    ),
}


def _write(folder: Path, **relations: Iterable[Row]) -> Path:
    for name, rows in relations.items():
        lines = "".join(f"{json.dumps(row)}\n" for row in rows)
        (folder / f"{name}.ndjson").write_text(lines, encoding="utf-8")
    return folder


def _principals(count: int, kind: str = "user") -> list[Row]:
    return [{"id": number, "kind": kind} for number in range(count)]


async def test_a_folder_is_stored(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    """Each file's rows are stored as those of a document, defaults filled in."""
    folder = _write(
        tmp_path,
        users=[{"id": "8", "principal_id": 3, "is_admin": True}],
        principals=[{"id": 3, "kind": "user", "deleted_at": "2030-01-01T01:00:00Z"}],
    )
    counts = await import_folder(connection, open_folder(folder))

    assert counts == {"principals": 1, "users": 1}
    user = await connection.fetchrow("select * from authz.users")
    assert user is not None
    assert tuple(user) == (8, 3, None, True, False, True, "user")


@pytest.mark.parametrize(("line", "message"), WRONG.items())
async def test_a_wrong_line_is_told(
    connection: asyncpg.Connection, tmp_path: Path, line: str, message: str
) -> None:
    """A line that is no row is told by file, line, column, path and reason."""
    folder = _write(tmp_path, principals=_principals(2), roles=())
    file = tmp_path / "roles.ndjson"
    file.write_text(f'{{"id": "ok"}}\n{line}\n{{"id": "also"}}', encoding="utf-8")

    with pytest.raises(DocumentError) as caught:
        await import_folder(connection, open_folder(folder))

    separator = ":" if message[0].isdigit() else ":2:1: "
    assert f"{file}{separator}{message}" == str(caught.value)
    assert await connection.fetchval("select count(*) from authz.principals") == 0


async def test_what_is_not_utf_8_is_told(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    """A line in another encoding is told at the first byte that tells."""
    file = tmp_path / "roles.ndjson"
    file.write_bytes('{"id": "ä'.encode() + "ä".encode("latin-1") + b'"}')

    with pytest.raises(DocumentError) as caught:
        await import_folder(connection, open_folder(tmp_path))

    assert str(caught.value) == f"{file}:1:10: roles[0]: not UTF-8"


async def test_all_files_are_looked_through(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    """Faults of every file are told, up to twenty; after the first nothing is tried."""
    wrong = [{"id": 1}] * 11
    resources = [{"kind": "m", "id": 1}]
    folder = _write(tmp_path, users=wrong[1:], principals=wrong, resources=resources)
    told: list[Progress] = []

    with pytest.raises(DocumentError) as caught:
        await import_folder(connection, open_folder(folder), tell=told.append)
    _write(tmp_path, users=wrong[2:])
    with pytest.raises(DocumentError) as fewer:
        await import_folder(connection, open_folder(folder), tell=told.append)

    assert told == []
    assert len(fewer.value.lines) == 20
    files = [fault.file for fault in caught.value.faults]
    assert [Path(file).stem for file in files] == ["principals"] * 11 + ["users"] * 9
    assert caught.value.lines[-1] == "and more; these are the first 20"


async def test_the_culprit_of_a_batch_is_found(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    """A row that the database refuses is told, in whichever batch it is."""
    rows = [*_principals(BATCH_ROWS + 9), {"kind": "user", "id": BATCH_ROWS + 2}]
    folder = _write(tmp_path, principals=rows)

    with pytest.raises(DocumentError) as caught:
        await import_folder(connection, open_folder(folder))

    line, index = BATCH_ROWS + 10, BATCH_ROWS + 9
    assert str(caught.value) == (
        f"{tmp_path / 'principals.ndjson'}:{line}:24: principals[{index}].id: "
        f"`{BATCH_ROWS + 2}` is taken by another row"
    )
    assert await connection.fetchval("select count(*) from authz.principals") == 0


async def test_groups_may_stand_before_their_organization(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    """A group that stands batches before its organization is stored, and told right."""
    group = {"id": -1, "kind": "group", "parent_principal_id": BATCH_ROWS + 1}
    rows = [group, *_principals(BATCH_ROWS + 2, "org")]
    folder = _write(tmp_path, principals=rows)

    with pytest.raises(DocumentError) as caught:
        await import_folder(connection, open_folder(folder))

    assert ":1:8: principals[0].id: `-1` is below zero" in str(caught.value)
    _write(tmp_path, principals=[{**group, "id": BATCH_ROWS + 2}, *rows[1:]])
    counts = await import_folder(connection, open_folder(folder))
    assert counts == {"principals": BATCH_ROWS + 3}


async def test_a_big_folder_tells_little(
    watched: asyncpg.Connection, ear: Ear, tmp_path: Path
) -> None:
    """Of 100,000 rows the sidecars hear that the group changed, and hear it once."""
    rows = [{"kind": "m", "id": number} for number in range(100_000)]
    await import_folder(watched, open_folder(_write(tmp_path, resources=rows)))

    assert await ear.listen() == [{"g": "resource"}]
    assert await watched.fetchval("select count(*) from authz.resources") == 100_001


async def test_a_rehearsal_tells_nothing(
    watched: asyncpg.Connection, ear: Ear, tmp_path: Path
) -> None:
    """A folder that is only tried is not told to anybody."""
    folder = open_folder(_write(tmp_path, resources=[{"kind": "m", "id": 1}]))
    await import_folder(watched, folder, ImportMode(replaces=True, keeps=False))

    assert await ear.listen() == []


async def test_progress_reaches_the_end(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    """Progress grows from batch to batch, and ends when all bytes are read."""
    group = {"id": BATCH_ROWS, "kind": "group", "parent_principal_id": 1}
    principals = [*_principals(BATCH_ROWS, "org"), group]
    resources = [{"kind": "m", "id": number} for number in range(3)]
    folder = _write(tmp_path, principals=principals, resources=resources)
    told: list[Progress] = []
    await import_folder(connection, open_folder(folder), tell=told.append)

    assert [(each.relation, each.rows) for each in told] == [
        ("principals", BATCH_ROWS),
        ("principals", BATCH_ROWS + 1),
        ("resources", 3),
    ]
    shares = [each.read / each.size for each in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1


@pytest.mark.parametrize("name", ["planets.ndjson", "users.json", "more"])
def test_a_file_of_nothing_known_is_refused(tmp_path: Path, name: str) -> None:
    """A file that is no relation's is refused, so that none is overlooked."""
    _write(tmp_path, users=())
    (tmp_path / name).write_text("")
    (tmp_path / ".hidden").write_text("")

    with pytest.raises(DocumentError) as caught:
        open_folder(tmp_path)

    assert str(caught.value) == (
        f"{tmp_path / name}: is not the file of a relation, such as users.ndjson"
    )


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """A folder without any file is taken for a mistake."""
    with pytest.raises(DocumentError) as caught:
        open_folder(tmp_path)

    assert str(caught.value) == (
        f"{tmp_path}: holds no file of a relation, such as users.ndjson"
    )


async def test_a_file_that_is_gone_is_named(
    connection: asyncpg.Connection, tmp_path: Path
) -> None:
    """A relation's file that cannot be read ends the import by its name."""
    (tmp_path / "users.ndjson").mkdir()

    with pytest.raises(DocumentError) as caught:
        await import_folder(connection, open_folder(tmp_path))

    assert str(caught.value) == (
        f"{tmp_path / 'users.ndjson'}: cannot be read: is a directory"
    )
