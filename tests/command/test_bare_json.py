from collections.abc import Mapping
from typing import cast

import pytest
from authz.v1 import authorization_service_pb2 as pb
from authz.v1 import caller_pb2, decision_pb2, filter_pb2, permission_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.command.bare_json import (
    BareJsonError,
    Field,
    bare_name,
    bare_names,
    from_bare,
    to_bare,
)

_MESSAGES = [
    GetMessageClass(message)
    for name, message in sorted(pb.DESCRIPTOR.message_types_by_name.items())
    if name.endswith(("Request", "Response"))
]
_LEAVES: dict[int, st.SearchStrategy[object]] = {
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_STRING: st.text(
        st.characters(exclude_categories=["Cs"]), max_size=5
    ),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: st.integers(0, 2**64 - 1),
}


def _elements(field: Field, depth: int) -> st.SearchStrategy[object]:
    if field.enum_type is not None:
        return st.sampled_from(sorted(bare_names(field.enum_type)))
    if field.message_type is None:
        return _LEAVES[field.type]
    if field.message_type.full_name == Duration.DESCRIPTOR.full_name:
        return st.sampled_from(["0s", "1.500s"])
    return _messages(GetMessageClass(cast("Descriptor", field.message_type)), depth - 1)


@st.composite
def _messages(draw: st.DrawFn, kind: type[Message], depth: int) -> dict[str, object]:
    values: dict[str, object] = {}
    taken: set[str] = set()
    for field in kind.DESCRIPTOR.fields:
        oneof = "" if field.containing_oneof is None else field.containing_oneof.name
        is_deep = depth <= 0 and field.message_type is not None
        if is_deep or oneof in taken or not draw(st.booleans()):
            continue
        taken |= {oneof} - {""}
        element = _elements(field, depth)
        many = st.lists(element, max_size=2)
        values[field.name] = draw(many if field.is_repeated else element)
    return values


@pytest.mark.parametrize("kind", _MESSAGES, ids=lambda kind: kind.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_reads_back_what_it_writes(kind: type[Message], data: st.DataObject) -> None:
    """Every message of every call comes back equal, and nothing given is lost."""
    values = data.draw(_messages(kind, 4))

    message = from_bare(values, kind)

    written = to_bare(message)
    assert message == from_bare(written, kind)
    assert _is_within(values, written)


def _is_within(given_values: object, written: object) -> bool:
    if isinstance(given_values, Mapping) and isinstance(written, Mapping):
        return all(
            name in written and _is_within(value, written[name])
            for name, value in given_values.items()
        )
    if isinstance(given_values, list) and isinstance(written, list):
        return all(map(_is_within, given_values, written))
    return given_values == written


def test_leaves_out_what_is_unset_and_keeps_plain_scalars() -> None:
    """Optional fields, messages and unspecified enums are left out, scalars are not."""
    context = caller_pb2.TenantContext(user_id="1", is_platform_admin=True)

    expected = {
        "user_id": "1",
        "is_platform_admin": True,
        "is_system": False,
        "accessible_cluster_ids": [],
        "current_is_personal_scope": False,
        "bypass": False,
        "has_org_context": False,
    }
    assert expected == to_bare(context)


def test_an_allowed_decision_has_no_denial() -> None:
    """A decision is written as cases have it."""
    decision = decision_pb2.Decision(
        allowed=True, reason=decision_pb2.REASON_OWNED, message="yes"
    )

    expected = {"allowed": True, "reason": "OWNED", "message": "yes"}
    assert expected == to_bare(decision)


def test_large_integers_are_numbers() -> None:
    """An int64 is a number, unlike in proto3's own JSON."""
    parameter = filter_pb2.SqlParameter(int64=2**62)

    assert to_bare(parameter) == {"int64": 2**62}


def test_an_unset_field_can_be_said_with_null() -> None:
    """Null means unset, as YAML writes it."""
    query = from_bare({"context": "DATA", "item": None}, permission_pb2.PermissionQuery)

    assert not query.HasField("item")
    assert query.context == permission_pb2.RULE_CONTEXT_DATA


def test_an_explicit_empty_text_stays_set() -> None:
    """An empty optional field is not the same as an unset one."""
    caller = from_bare({"organization_id": ""}, caller_pb2.Caller)

    assert caller.HasField("organization_id")
    assert to_bare(caller) == {"organization_id": ""}


def test_a_number_that_has_no_name_stays_a_number() -> None:
    """An enum value of a newer server is shown as its number."""
    assert bare_name(decision_pb2.Reason.DESCRIPTOR, 4711) == "4711"


_BAD: list[tuple[dict[str, object], str]] = [
    ({"nobody": 1}, "`nobody` is not a field"),
    ({"caller": "3"}, "`caller` must be a mapping"),
    ({"caller": {"user_id": 3}}, "`caller.user_id` must be text"),
    ({"explain": 1}, "`explain` must be true or false"),
    ({"requirements": {}}, "`requirements` must be a list"),
    ({"requirements": ["x"]}, "`requirements[0]` must be a mapping"),
    (
        {"caller": {"user_id": "1", "api_key": "k"}},
        "`caller.api_key` cannot be set besides `user_id`",
    ),
    (
        {"requirements": [{"role": {"any_of_org_roles": {"roles": ["OWNER"]}}}]},
        "`requirements[0].role.any_of_org_roles.roles[0]` must be one of ADMIN, USER",
    ),
    (
        {"caller": {"user_id": "\ud800"}},
        "`caller.user_id` is out of range or malformed",
    ),
]


@pytest.mark.parametrize(("values", "problem"), _BAD, ids=[bad[1] for bad in _BAD])
def test_refuses_what_does_not_fit(values: dict[str, object], problem: str) -> None:
    """A value that does not fit is refused with its place."""
    with pytest.raises(BareJsonError) as raised:
        from_bare(values, pb.AuthorizeRequest)

    assert problem == str(raised.value)


@pytest.mark.parametrize("name", ["RULE_CONTEXT_DATA", "UNSPECIFIED", "data", 1])
def test_refuses_other_names_of_an_enum_value(name: object) -> None:
    """There is one way to write an enum value, and none for the unspecified one."""
    with pytest.raises(BareJsonError):
        from_bare({"context": name}, permission_pb2.PermissionQuery)


@pytest.mark.parametrize("number", [-1, 2**32, True, 1.0])
def test_refuses_a_number_out_of_range(number: object) -> None:
    """Numbers are of their field's range and no other type."""
    with pytest.raises(BareJsonError):
        from_bare({"first_parameter": number}, filter_pb2.SqlOptions)
