from datetime import UTC, datetime, timedelta, timezone

import pytest

from sidecar.store.document import DocumentError, parse_document
from sidecar.store.relations import RELATIONS

GOOD = """
principal_memberships:
  - {id: 1, member_principal_id: 2, parent_principal_id: "3", role: admin}
"""

REFUSED = {
    "": "a document is a mapping from relations to rows",
    "[]": "a document is a mapping from relations to rows",
    "a: [": "neither YAML nor JSON: line 1, column 5",
    '{"users": [}': "neither YAML nor JSON: line 1, column 12",
    "users: []\nusers: []": "`users` stands twice in one mapping",
    '{"users": [], "users": []}': "`users` stands twice in one mapping",
    "users: [{id: 1, id: 2}]": "`id` stands twice in one mapping",
    "mandates: []": "there is no relation `mandates`",
    "3: []": "there is no relation `3`",
    "roles:": "roles: must be a list of rows",
    "roles: {id: 1}": "roles: must be a list of rows",
    "roles: [1]": "roles[0]: must be a mapping from columns to values",
    "roles: [{id: 1}, {id: 2, scope: x}]": "roles[1]: there is no column `scope`",
    "roles: [{label: x}]": "roles[0].id: is missing",
    "roles: [{id: ''}]": "roles[0].id: `` is no id: a whole number, or text in quotes",
    "roles: [{id: 1.5}]": (
        "roles[0].id: `1.5` is no id: a whole number, or text in quotes"
    ),
    "roles: [{id: true}]": (
        "roles[0].id: `True` is no id: a whole number, or text in quotes"
    ),
    'roles: [{id: "a\\0b"}]': "roles[0].id: holds a character that cannot be stored",
    "roles: [{id: 1, label: 7}]": "roles[0].label: `7` is no text; put it in quotes",
    '{"roles": [{"id": 1, "label": "\\ud800"}]}': (
        "roles[0].label: holds a character that cannot be stored"
    ),
    "principals: [{id: 1, kind: mandate}]": (
        "principals[0].kind: `mandate` is none of user, org, group"
    ),
    "access_rules: [{id: 1, role_id: 1, context: UI, read: A}]": (
        "access_rules[0].read: `A` is none of n, m, g, a"
    ),
    "feature_access: [{id: 1, user_id: 1, feature_instance_id: 1, enabled: no}]": (
        "feature_access[0].enabled: `no` is neither true nor false"
    ),
    "feature_access: [{id: 1, user_id: 1, feature_instance_id: 1, enabled: null}]": (
        "feature_access[0].enabled: is missing"
    ),
    "principals: [{id: 1, kind: org, deleted_at: '2030-01-01T00:00:00'}]": (
        "principals[0].deleted_at: `2030-01-01T00:00:00` is no time like "
        "2030-01-31T12:00:00Z"
    ),
    "principals: [{id: 1, kind: org, deleted_at: '2030-02-30T00:00:00Z'}]": (
        "principals[0].deleted_at: `2030-02-30T00:00:00Z` is no time like "
        "2030-01-31T12:00:00Z"
    ),
    "principals: [{id: 1, kind: org, deleted_at: true}]": (
        "principals[0].deleted_at: `True` is no time like 2030-01-31T12:00:00Z"
    ),
    "principals: [{id: 1, kind: org, deleted_at: 2030-02-30}]": "neither YAML nor JSON",
}

TIMES = {
    "'2030-01-31T12:00:00Z'": datetime(2030, 1, 31, 12, tzinfo=UTC),
    "'2030-01-31t12:00:00.25z'": datetime(2030, 1, 31, 12, 0, 0, 250000, tzinfo=UTC),
    "'2030-01-31 12:00:00+02:00'": datetime(
        2030, 1, 31, 12, tzinfo=timezone(timedelta(hours=2))
    ),
    "2030-01-31T12:00:00Z": datetime(2030, 1, 31, 12, tzinfo=UTC),
    "2030-01-31 12:00:00": datetime(2030, 1, 31, 12, tzinfo=UTC),
    "2030-01-31": datetime(2030, 1, 31, tzinfo=UTC),
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


def test_deep_nesting_is_refused() -> None:
    """A document nested without end is refused, not followed."""
    with pytest.raises(DocumentError, match="neither YAML nor JSON"):
        parse_document('{"users":' + "[" * 100_000)


def test_relations_come_in_the_order_of_storing() -> None:
    """However a document is ordered, what is referred to comes first."""
    names = list(RELATIONS)
    document = parse_document("\n".join(f"{name}: []" for name in reversed(names)))

    assert names == list(document.relations)
