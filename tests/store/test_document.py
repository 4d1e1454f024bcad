from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from sidecar.store.document import DocumentError, parse_document, read_document_file
from sidecar.store.relations import RELATIONS

GOOD = """
principal_memberships:
  - {id: 1, member_principal_id: 2, parent_principal_id: "3", role: admin}
"""

# A document, and what is said of it.
REFUSED = {
    "": "1:1: a document is a mapping from relations to rows",
    "[]": "1:1: a document is a mapping from relations to rows",
    "a: [": "2:1: neither YAML nor JSON",
    '{"users": [}': "1:12: neither YAML nor JSON",
    '{\n\t"users": [}': "2:12: neither YAML nor JSON",
    "users: []\n---\nusers: []": "3:1: neither YAML nor JSON",
    "users: *nobody": "1:8: neither YAML nor JSON",
    "users: []\nusers: []": "2:1: `users` stands twice in one mapping",
    '{"users": [],\n"users": []}': "2:1: `users` stands twice in one mapping",
    "users: [{id: 1, id: 2}]": "1:17: `id` stands twice in one mapping",
    '{"users": [{"id": [{"a": 1, "a": 1}]}]}': (
        "1:29: `a` stands twice in one mapping"
    ),
    "mandates: []": "1:1: there is no relation `mandates`",
    "3: []": "1:1: there is no relation `3`",
    "roles:": "1:7: roles: must be a list of rows",
    "roles: {id: 1}": "1:8: roles: must be a list of rows",
    "roles: [1]": "1:9: roles[0]: must be a mapping from columns to values",
    "roles: [{id: 1},\n {id: 2, scope: x}]": (
        "2:10: roles[1]: there is no column `scope`"
    ),
    "roles: [{label: x}]": "1:9: roles[0].id: is missing",
    "roles: [{id: ''}]": (
        "1:14: roles[0].id: `` is no id: a whole number, or text in quotes"
    ),
    "roles: [{id: 1.5}]": (
        "1:14: roles[0].id: `1.5` is no id: a whole number, or text in quotes"
    ),
    "roles: [{id: true}]": (
        "1:14: roles[0].id: `true` is no id: a whole number, or text in quotes"
    ),
    'roles: [{id: "a\\0b"}]': (
        "1:14: roles[0].id: holds a character that cannot be stored"
    ),
    "roles: [{id: 1, label: 7}]": (
        "1:24: roles[0].label: `7` is no text; put it in quotes"
    ),
    '{"roles": [{"id": 1, "label": "\\ud800"}]}': (
        "1:31: roles[0].label: holds a character that cannot be stored"
    ),
    'principals: [{id: 1, kind: "or\\ng"}]': (
        "1:28: principals[0].kind: `or\\ng` is none of user, org, group"
    ),
    "principals: [{id: 1, kind: mandate}]": (
        "1:28: principals[0].kind: `mandate` is none of user, org, group"
    ),
    "access_rules: [{id: 1, role_id: 1, context: UI, read: A}]": (
        "1:55: access_rules[0].read: `A` is none of n, m, g, a"
    ),
    "feature_access: [{id: 1, user_id: 1, feature_instance_id: 1, enabled: no}]": (
        "1:71: feature_access[0].enabled: `no` is neither true nor false"
    ),
    "feature_access: [{id: 1, user_id: 1, feature_instance_id: 1, enabled: null}]": (
        "1:71: feature_access[0].enabled: is missing"
    ),
}

NO_TIMES = (
    "'2030-01-01T00:00:00'",
    "'2030-02-30T00:00:00Z'",
    "'2029-02-29T00:00:00Z'",
    "'2030-01-01T24:00:00Z'",
    "'2030-01-01T00:00:00+24:00'",
    "'0000-01-01T00:00:00Z'",
    "'0001-01-01T00:00:00+01:00'",
    "0001-01-01T00:00:00+01:00",
    "2030-02-30",
    "true",
    '"2030-01-01T00:00:00Z\\n"',
)

TIMES = {
    "'2030-01-31T12:00:00Z'": datetime(2030, 1, 31, 12, tzinfo=UTC),
    "'2030-01-31t12:00:00.25z'": datetime(2030, 1, 31, 12, 0, 0, 250000, tzinfo=UTC),
    "'2030-01-31 12:00:00+02:00'": datetime(
        2030, 1, 31, 12, tzinfo=timezone(timedelta(hours=2))
    ),
    "2030-01-31T12:00:00Z": datetime(2030, 1, 31, 12, tzinfo=UTC),
    "2030-01-31 12:00:00": datetime(2030, 1, 31, 12, tzinfo=UTC),
    "2030-01-31": datetime(2030, 1, 31, tzinfo=UTC),
    "'2028-02-29T23:59:59-23:59'": datetime(2028, 3, 1, 23, 58, 59, tzinfo=UTC),
    "'9999-12-31T23:59:59+00:00'": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
}


def test_ids_are_text() -> None:
    """An id is text, written as a number or in quotes; what is missing is filled."""
    document = parse_document(GOOD)

    expected = {
        "id": "1",
        "member_principal_id": "2",
        "parent_principal_id": "3",
        "role": "admin",
        "enabled": True,
        "deleted_at": None,
    }
    assert expected == dict(document.relations["principal_memberships"][0])


def test_json_is_read_too() -> None:
    """The same document as JSON, indented by tabs, gives the same rows."""
    json = """{\t"principal_memberships": [\n\t{"id": 1, "member_principal_id": 2,
    \t"parent_principal_id": "3", "role": "admin"}]}"""

    assert parse_document(GOOD).relations == parse_document(json).relations


def test_flow_style_is_not_taken_for_json() -> None:
    """YAML that starts with a brace is read as YAML."""
    document = parse_document("{roles: [{id: viewer}]}")

    assert document.relations["roles"][0]["id"] == "viewer"


@pytest.mark.parametrize("written", ["0020", "1_000", "+1", "0x10", "1:30", "no", "on"])
def test_nothing_is_guessed(written: str) -> None:
    """What only some YAML readers take for a number or a flag stays text."""
    document = parse_document(f"roles: [{{id: {written}}}]")

    assert written == document.relations["roles"][0]["id"]


@pytest.mark.parametrize(("written", "expected"), TIMES.items())
def test_times_have_a_zone(written: str, expected: datetime) -> None:
    """A time is RFC 3339 text, or a YAML timestamp, which without a zone is UTC."""
    document = parse_document(
        f"principals: [{{id: 1, kind: org, deleted_at: {written}}}]"
    )

    assert expected == document.relations["principals"][0]["deleted_at"]


@pytest.mark.parametrize(("text", "message"), REFUSED.items())
def test_a_wrong_shape_is_refused(text: str, message: str) -> None:
    """A document of the wrong shape is refused by its path and the reason."""
    with pytest.raises(DocumentError) as caught:
        parse_document(text)

    assert message == str(caught.value)


@pytest.mark.parametrize("written", NO_TIMES)
def test_what_is_no_time_is_refused(written: str) -> None:
    """A time that no clock shows, or that no zone or database can hold, is refused."""
    with pytest.raises(DocumentError) as caught:
        parse_document(f"principals: [{{id: 1, kind: org, deleted_at: {written}}}]")

    assert str(caught.value).startswith("1:45: principals[0].deleted_at: `")
    assert str(caught.value).endswith("` is no time like 2030-01-31T12:00:00Z")


@pytest.mark.parametrize("start", ['{"users":', "users: "])
def test_deep_nesting_is_refused(start: str) -> None:
    """A document nested without end is refused, not followed."""
    with pytest.raises(DocumentError, match="neither YAML nor JSON"):
        parse_document(start + "[" * 100_000)


def test_nested_values_are_not_followed() -> None:
    """A value that is nested deeply is refused in few words, or the document is."""
    deep = "[" * 40 + "]" * 40
    with pytest.raises(DocumentError) as caught:
        parse_document(f"roles: [{{id: {deep}, label: {deep}}}]")
    with pytest.raises(DocumentError, match="1:61: neither YAML nor JSON"):
        parse_document("roles: [{id: " + "[" * 10_000 + "]" * 10_000 + "}]")
    with pytest.raises(DocumentError, match=r"neither YAML nor JSON|is no id"):
        parse_document('{"roles": [{"id": ' + "[" * 900 + "]" * 900 + "}]}")

    assert caught.value.lines == (
        "1:14: roles[0].id: `[…]` is no id: a whole number, or text in quotes",
        "1:103: roles[0].label: `[…]` is no text; put it in quotes",
    )


def test_long_values_are_cut() -> None:
    """Of a value that fills pages, the message has the beginning."""
    with pytest.raises(DocumentError) as caught:
        parse_document(f"principals: [{{id: 1, kind: {'x' * 5000}}}]")

    assert len(str(caught.value)) < 200


def test_every_fault_is_told() -> None:
    """All that is wrong is told at once, a line each, row by row."""
    with pytest.raises(DocumentError) as caught:
        parse_document(
            "principals:\n  - {id: 1}\n  - 3\nusers:\n  - {id: 1.5, nam: x}\n"
        )

    assert caught.value.lines == (
        "2:5: principals[0].kind: is missing",
        "3:5: principals[1]: must be a mapping from columns to values",
        "5:15: users[0]: there is no column `nam`",
        "5:10: users[0].id: `1.5` is no id: a whole number, or text in quotes",
        "5:5: users[0].principal_id: is missing",
    )


@pytest.mark.parametrize(("wrong", "lines"), [(20, 20), (21, 21), (5000, 21)])
def test_no_more_than_twenty_faults_are_told(wrong: int, lines: int) -> None:
    """Of more than twenty faults the first are told, and that there are more."""
    with pytest.raises(DocumentError) as caught:
        parse_document("roles:\n" + "  - {}\n" * wrong)

    assert lines == len(caught.value.lines)
    more = "and more; these are the first 20"
    assert (wrong > 20) is (caught.value.lines[-1] == more)


def test_a_file_is_named(tmp_path: Path) -> None:
    """Of a document in a file, every fault starts with its name, line and column."""
    path = tmp_path / "world.yaml"
    path.write_text("\ufeff# ä\nroles:\n  - {label: ä, id: 1.5}\n", encoding="utf-8")

    with pytest.raises(DocumentError) as caught:
        read_document_file(path)

    assert str(caught.value).startswith(f"{path}:3:20: roles[0].id: `1.5` is no id")


def test_what_is_not_utf_8_is_named(tmp_path: Path) -> None:
    """A file in another encoding is refused at the first byte that tells."""
    path = tmp_path / "world.yaml"
    path.write_bytes("# ä\n# ".encode() + "ä".encode("latin-1"))

    with pytest.raises(DocumentError) as caught:
        read_document_file(path)

    assert str(caught.value) == f"{path}:2:3: not UTF-8"


def test_places_are_found_in_any_style() -> None:
    """However YAML is written, with anchors and merged rows too, places are found."""
    document = parse_document(
        "roles:\n- &a\n  id: 1\n  label: >\n    long\n- <<: *a\n  id: 2\n- *a\n"
    )

    places = {
        (index, column): str(document.places(("roles", index, column), False))  # noqa: FBT003
        for index in range(3)
        for column in ("id", "label")
    }
    assert places == {
        (0, "id"): "3:7",
        (0, "label"): "4:10",
        (1, "id"): "7:7",
        # The column came with the merge, so its row has to do.
        (1, "label"): "6:3",
        (2, "id"): "3:7",
        (2, "label"): "4:10",
    }


def test_relations_come_in_the_order_of_storing() -> None:
    """However a document is ordered, what is referred to comes first."""
    names = list(RELATIONS)
    document = parse_document("\n".join(f"{name}: []" for name in reversed(names)))

    assert names == list(document.relations)
