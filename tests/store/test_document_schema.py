import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from sidecar.store.document import DocumentError, read_document
from sidecar.store.document_text import read_text
from sidecar.store.document_values import RowError, RowReader, read_text_id
from sidecar.store.relations import RELATIONS, Column
from tests.store.test_document import NO_TIMES, REFUSED, TIMES

_ROOT = Path(__file__).resolve().parents[2]
_SCHEMA = json.loads((_ROOT / "docs/directory.schema.json").read_text("utf-8"))
_VALIDATOR = Draft202012Validator(_SCHEMA)

# A value of each kind that a column can have, and of each kind that none can. A whole
# number with a fraction of zero is left out: a schema takes it for whole, we do not.
_VALUES: tuple[object, ...] = (
    *(0, -3, 2**70, "7", "viewer", "", "x" * 300, "\U0001f600", "a\0", "\ud800"),
    *("user", "org", "admin", "DATA", "data", "n", "a", "N"),
    *(True, False, None, 1.5, [], [1], {}, {"id": 1}),
    *("2030-01-31T12:00:00Z", "2030-01-31t12:00:00.25+05:30", "2030-01-31"),
    *("2030-02-30T12:00:00Z", "2028-02-29T00:00:00z", "2100-02-29T00:00:00Z"),
    *("2030-01-31T12:00:00", "2030-01-31T12:00:00Z\n", "0000-01-01T00:00:00Z"),
    *("0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"),
)


def _is_accepted(raw: object) -> bool:
    try:
        read_document(raw)
    except DocumentError:
        return False
    return True


def _good(relation: str) -> dict[str, object]:
    """A row with what it cannot do without."""
    return {
        column.name: column.words[0] if column.words else "x"
        for column in RELATIONS[relation]
        if column.required and column.default is None
    }


_COLUMNS = [
    (relation, column) for relation, columns in RELATIONS.items() for column in columns
]


@pytest.mark.parametrize(
    ("relation", "column"), _COLUMNS, ids=[f"{r}.{c.name}" for r, c in _COLUMNS]
)
def test_schema_and_parser_agree_on_every_value(relation: str, column: Column) -> None:
    """For each column the schema takes the values that the parser takes."""
    for value in _VALUES:
        raw = {relation: [{**_good(relation), column.name: value}]}

        assert _is_accepted(raw) == _VALIDATOR.is_valid(raw), raw


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*RELATIONS, "planets"]),
        st.one_of(
            st.sampled_from([None, 3, "x", {}]),
            st.lists(
                st.one_of(
                    st.sampled_from([None, 1, "x", []]),
                    st.dictionaries(
                        st.sampled_from(
                            ["id", "kind", "role_id", "membership_id", "x", "label"]
                        ),
                        st.sampled_from(_VALUES),
                    ),
                ),
                max_size=3,
            ),
        ),
        max_size=3,
    )
)
def test_schema_and_parser_agree_on_documents(raw: dict[str, object]) -> None:
    """Whatever a document is made of, the schema takes it if the parser does."""
    assert _is_accepted(raw) == _VALIDATOR.is_valid(raw)


def _is_of_values(text: str) -> bool:
    return not REFUSED[text].endswith(("neither YAML nor JSON", "in one mapping"))


@pytest.mark.parametrize("text", [text for text in REFUSED if _is_of_values(text)])
def test_what_the_parser_refuses_does_not_validate(text: str) -> None:
    """What the parser refuses for its shape, an editor marks too."""
    raw, _ = read_text(text)

    assert not _VALIDATOR.is_valid(raw)


@pytest.mark.parametrize("written", [*TIMES, *NO_TIMES])
def test_quoted_times_are_judged_alike(written: str) -> None:
    """A time in quotes validates exactly if the parser takes it."""
    if written.startswith(("'", '"')):
        time = yaml.safe_load(written)
        raw = {"principals": [{"id": 1, "kind": "org", "deleted_at": time}]}

        assert _is_accepted(raw) == _VALIDATOR.is_valid(raw)


def test_the_example_validates() -> None:
    """The example is a document as the schema has it, and names it for editors."""
    text = (_ROOT / "examples/gpu-cloud.yaml").read_text("utf-8")

    assert list(_VALIDATOR.iter_errors(yaml.safe_load(text))) == []
    [line] = [line for line in text.splitlines() if "$schema=" in line]
    assert line == "# yaml-language-server: $schema=../docs/directory.schema.json"


def test_a_line_of_a_folder_is_described_too() -> None:
    """Each relation's definition takes the rows that a line of its file can be."""
    for relation, columns in RELATIONS.items():
        reader = RowReader(columns, read_text_id)
        wanted = {"$ref": f"#/$defs/{relation}", "$defs": _SCHEMA["$defs"]}
        validator = Draft202012Validator(wanted)

        assert reader.read(_good(relation))
        assert validator.is_valid(_good(relation))
        with pytest.raises(RowError):
            reader.read({})
        assert not validator.is_valid({})


def test_the_schema_is_a_schema() -> None:
    """The schema is valid itself, and says of every column what it is."""
    Draft202012Validator.check_schema(_SCHEMA)

    assert all(
        column["description"]
        for relation in _SCHEMA["$defs"].values()
        for column in relation["properties"].values()
    )
