import asyncio
import json
from pathlib import Path

import asyncpg
import jsonschema
import pytest

from sidecar.command.program import main
from sidecar.store.embedded import EmbeddedPostgres
from sidecar.store.migrate import migrate

# The shape that programs may rely on; docs/doctor.md says the same in words.
SHAPE = {
    "type": "object",
    "required": ["format", "errors", "warnings", "findings", "unchecked"],
    "additionalProperties": False,
    "properties": {
        "format": {"const": 1},
        "errors": {"type": "integer"},
        "warnings": {"type": "integer"},
        "unchecked": {"type": "array", "items": {"type": "string"}},
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "severity", "subject", "what", "why", "mend"],
                "additionalProperties": False,
                "properties": {
                    "code": {"pattern": "^[a-z0-9-]+$"},
                    "severity": {"enum": ["error", "warning"]},
                    "subject": {"type": "string"},
                    "what": {"type": "string"},
                    "why": {"type": "string"},
                    "mend": {
                        "type": "object",
                        "required": ["sql", "command", "words"],
                        "additionalProperties": False,
                        "properties": {
                            "sql": {"type": "array", "items": {"type": "string"}},
                            "command": {"type": "string"},
                            "words": {"type": "string"},
                        },
                    },
                    "rows": {
                        "type": "object",
                        "required": ["count", "examples", "select"],
                        "additionalProperties": False,
                        "properties": {
                            "count": {"type": "integer"},
                            "examples": {"type": "array", "items": {"type": "string"}},
                            "select": {"type": "string"},
                        },
                    },
                },
            },
        },
    },
}


@pytest.fixture
async def database(postgres: EmbeddedPostgres) -> str:
    """The address of a database with the reference schema."""
    postgres.create_database("doctored")
    url = postgres.url("doctored")
    connection = await asyncpg.connect(url)
    await migrate(connection)
    await connection.close()
    return url


@pytest.fixture
def config(database: str, tmp_path: Path) -> str:
    """A settings file for the database."""
    path = tmp_path / "sidecar.yaml"
    path.write_text(json.dumps({"database": {"url": database}}))
    return str(path)


async def store(database: str, *statements: str) -> None:
    """Runs statements past the foreign keys."""
    connection = await asyncpg.connect(database)
    await connection.execute("set session_replication_role = replica")
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


def test_warnings_are_no_illness_unless_strict(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database that a superuser serves from is healthy, and not at its best."""
    assert 0 == main(["doctor", "--config", config])
    assert 1 == main(["doctor", "--config", config, "--strict"])

    out = capsys.readouterr().out
    assert "warning  role-is-superuser  `postgres` is a superuser\n" in out
    assert "  do    serve as a role of its own" in out
    assert out.endswith("0 errors, 1 warning\n")


async def test_an_error_ends_with_one(
    config: str, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is found stands there with why, which rows, all of them, and the mend."""
    await store(
        database,
        "insert into authz.cluster_access select n, 99 from generate_series(1, 7) as n",
        "call authz.unwatch('authz.users')",
    )

    assert 1 == await _in_thread("doctor", "--config", config)

    out = capsys.readouterr().out
    assert "error    triggers-missing" in out
    assert "call authz.watch('authz.users', 'user'," in out
    assert "  rows  7: 1/99, 2/99, 3/99, 4/99, 5/99, ...\n" in out
    assert "  list  select concat_ws('/', r.cluster_id, r.principal_id)" in out
    await store(
        database,
        "delete from authz.cluster_access",
        "call authz.watch('authz.users', 'user',"
        " 'id, principal_id, is_admin, is_system, is_active', 'id')",
    )


async def test_json_has_one_shape(
    config: str, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Programs read one document, with rows where a finding is about rows."""
    await store(database, "insert into authz.cluster_access values (1, 99)")

    assert 0 == await _in_thread("doctor", "--config", config, "--json")

    document = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, SHAPE)
    found = {each["code"]: each for each in document["findings"]}
    assert {"role-is-superuser", "reference-broken"} == found.keys()
    assert 1 == found["reference-broken"]["rows"]["count"]
    assert (0, 2) == (document["errors"], document["warnings"])
    await store(database, "delete from authz.cluster_access")


def test_a_database_that_is_away_cannot_be_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That ends with 2, and one line says why."""
    config = tmp_path / "sidecar.yaml"
    config.write_text("database: {url: postgresql://nobody@127.0.0.1:1/none}")

    assert 2 == main(["doctor", "--config", str(config)])

    error = capsys.readouterr().err
    assert error.startswith("error: the database cannot be reached: ")
    assert error.count("\n") == 1


def test_bad_settings_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is looked at with settings that are none."""
    config = tmp_path / "sidecar.yaml"
    config.write_text("nonsense: 1")

    assert 2 == main(["doctor", "--config", str(config)])

    assert "`nonsense` is no known setting" in capsys.readouterr().err


async def _in_thread(*line: str) -> int:
    # A command has an event loop of its own, for which there must be none yet.
    return await asyncio.to_thread(main, line)
