import hashlib
import re
from pathlib import Path

import pytest

from sidecar.settings import load
from sidecar.store.document import Document, parse_document
from sidecar.store.relations import RELATIONS

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_TEXT = (_EXAMPLES / "gpu-cloud.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def world() -> Document:
    """The example's document."""
    return parse_document(_TEXT)


def test_the_example_has_rows_of_every_relation(world: Document) -> None:
    """Whoever writes a document of their own finds every relation in the example."""
    assert set(RELATIONS) == {name for name, rows in world.relations.items() if rows}


def test_every_example_key_has_its_secret_beside_it(world: Document) -> None:
    """The keys that the example tells of are those whose hashes it stores."""
    told = dict(re.findall(r"gpk_([a-z]+)_(EXAMPLE-[a-z0-9-]+)", _TEXT))
    stored = {
        row["lookup_id"]: row["secret_hash"] for row in world.relations["api_keys"]
    }

    expected = {
        lookup_id: f"sha256:{hashlib.sha256(secret.encode()).hexdigest()}"
        for lookup_id, secret in told.items()
    }
    assert expected == stored


def test_the_settings_declare_every_kind_of_the_example(world: Document) -> None:
    """No row of the example is of a kind that the example's settings lack."""
    kinds = load(_EXAMPLES / "sidecar.yaml").resource_kinds

    assert {row["kind"] for row in world.relations["resources"]} == set(kinds)


def test_the_example_serves_what_the_pages_show() -> None:
    """Whoever tries `authz-sidecar watch` or the client's cache on it can."""
    (listener,) = load(_EXAMPLES / "sidecar.yaml").listeners

    assert {"api", "health", "watch"} <= listener.services


def test_rows_carry_only_what_their_kind_carries(world: Document) -> None:
    """The columns of a kind are those that its rows fill."""
    kinds = load(_EXAMPLES / "sidecar.yaml").resource_kinds

    odd = [
        row
        for row in world.relations["resources"]
        if (row["cluster_id"] is not None and not kinds[str(row["kind"])].cluster)
        or (row["owner_principal_id"] is not None and not kinds[str(row["kind"])].owner)
    ]
    assert odd == []
