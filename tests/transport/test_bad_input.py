"""Bad input on every field of every call, through real gRPC on both engines.

The fields are found in the proto, so one that is added is tried without a change here.
"""

import logging
from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from grpc import aio

from sidecar.command.bare_json import from_bare
from tests.support.pipeline import request_type
from tests.support.serving import ENGINES, Place, Schema, Serving, Stage, refusal

CALLER = {"user_id": "2", "organization_id": "20"}
PINNED = {
    "subject": {"issuer": "https://login.example", "subject": "ann"},
    "pinned_principal_id": "20",
}
ROW = {"owner_principal_id": "20", "cluster_id": "501"}
QUERY = {"context": "DATA", "item": "data.User", "feature_instance_id": "i1"}
FRESH = {"minimize_latency": True}
RESOURCES = [
    {"kind": "cluster", "id": "501"},
    {"kind": "worker", "id": "601", "attributes": ROW},
]
NEW = [{"kind": "model", "owner_principal_id": "20"}, {"kind": "model", "global": True}]
REQUIREMENTS = [
    {"visible": RESOURCES[0]},
    {"writable": {"resource": RESOURCES[1], "skip_visible": True}},
    {"creatable": NEW[0]},
    {"role": {"any_of_org_roles": {"roles": ["ADMIN", "USER"]}}},
    {"permission": {"query": QUERY, "operation": "READ", "least_level": "MY"}},
]
SQL = {
    "columns": [
        {"field": name, "column": f"t.{name.lower()}"}
        for name in ("OWNER_PRINCIPAL_ID", "ID", "CLUSTER_ID", "CREATED_BY")
    ],
    "placeholder_style": "DOLLAR",
    "first_parameter": 3,
}
SQL["columns"].append({"field": "ORGANIZATION_ID", "column": "t.o"})  # type: ignore[attr-defined]
RULE = {
    "role_id": "r1",
    "context": "DATA",
    "item": "data.User",
    "view": True,
    "read": "GROUP",
    "create": "MY",
    "update": "NONE",
    "delete": "MY",
}
GOOD: dict[str, dict[str, object]] = {
    "ResolveContext": {"caller": PINNED, "consistency": FRESH},
    "ListContexts": {"caller": CALLER, "consistency": {"minimize_latency": True}},
    "CheckVisible": {"caller": CALLER, "resources": RESOURCES, "explain": True},
    "CheckWritable": {"caller": CALLER, "resources": RESOURCES, "skip_visible": True},
    "CheckCreatable": {"caller": CALLER, "resources": NEW},
    "CheckRole": {"caller": CALLER, "gate": {"platform_admin": True}},
    "GetPermissions": {"caller": CALLER, "queries": [QUERY]},
    "Authorize": {"caller": {"api_key": "key_a_b"}, "requirements": REQUIREMENTS},
    "GetListFilter": {
        "caller": CALLER,
        "kind": "cluster",
        "permission": QUERY,
        "sql": SQL,
        "consistency": {"fully_consistent": True},
    },
    "ValidateAccessRules": {"rules": [RULE]},
}
# Where a bad value is an answer and no refusal: what is asked is whether it is bad, it
# is somebody's name for nothing, or it is the raw text of a header.
ANSWERED = {
    ("ValidateAccessRules", "rules[0].item"),
    ("ValidateAccessRules", "rules[0].read"),
    ("ValidateAccessRules", "rules[0].create"),
    ("ValidateAccessRules", "rules[0].update"),
    ("ValidateAccessRules", "rules[0].delete"),
}
TEXTS = ("", "x" * 20_000, "\u00e9" * 9_000, "a..b", " ", "\0", "'; drop table x; --")
NUMBERS = (0, 99, -1)


def bad_requests() -> Iterator[tuple[str, str, object]]:
    """Each call, path of a field, and bad value for it."""
    for call, request in GOOD.items():
        message = from_bare(request, request_type(call))
        for path, field in leaves(message, ""):
            for value in bad_values(field):
                yield call, path, value


def leaves(message: Message, prefix: str) -> Iterator[tuple[str, FieldDescriptor]]:
    """The paths of the fields that are set, down to those that hold no message."""
    for field, value in message.ListFields():
        path = f"{prefix}{field.name}"
        elements = list(value) if field.is_repeated else [value]
        for index, element in enumerate(elements):
            where = f"{path}[{index}]" if field.is_repeated else path
            if isinstance(element, Message):
                yield from leaves(element, f"{where}.")
            else:
                yield where, field


def bad_values(field: FieldDescriptor) -> tuple[object, ...]:
    """Values of a field's type that are hardly ever good."""
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return TEXTS
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        return NUMBERS
    if field.cpp_type == FieldDescriptor.CPPTYPE_UINT32:
        return (2**32 - 1,)
    return (False,)


def spoilt(call: str, path: str, value: object) -> Message:
    """The good request of a call with one field changed."""
    request = from_bare(GOOD[call], request_type(call))
    *parents, last = path.replace("]", "").split(".")
    message: Message = request
    for part in parents:
        name, _, index = part.partition("[")
        found = getattr(message, name)
        message = found[int(index)] if index else found
    name, _, index = last.partition("[")
    if index:
        getattr(message, name)[int(index)] = value
    else:
        setattr(message, name, value)
    return request


def blamed_with(path: str) -> set[str]:
    """The fields that may be named for a bad value of this one."""
    # Without an organization it is the instance that does not fit.
    instances = {"queries[0].feature_instance_id", "permission.feature_instance_id"}
    others = instances if path == "caller.organization_id" else set()
    return {path, path.partition("[")[0], *others}


BAD = list(bad_requests())


async def code_of(serving: Serving, engine: str, call: str, request: Message) -> str:
    """The status with which a call ends."""
    try:
        await serving.send(engine, call, request)
    except aio.AioRpcError as error:
        return error.code().name
    return "OK"


def test_sweep_reaches_every_field() -> None:
    """Every field of a request that holds no message is spoilt at least once."""
    swept = {(call, path) for call, path, _ in BAD}

    assert len(swept) > 80
    assert ("Authorize", "requirements[4].permission.query.item") in swept


@pytest.mark.parametrize("engine", ENGINES)
async def test_bad_field_is_refused_by_name_or_answered(
    stage: Stage, caplog: pytest.LogCaptureFixture, engine: str
) -> None:
    """A bad field is INVALID_ARGUMENT with its path or an answer, never a crash."""
    serving = await stage.shared(Place(Schema.REFERENCE, "tenancy"))
    wrong = []
    with caplog.at_level(logging.WARNING):
        for call, path, value in BAD:
            try:
                await serving.send(engine, call, spoilt(call, path, value))
            except aio.AioRpcError as error:
                told = refusal(error)
                is_named = told.code == "INVALID_ARGUMENT" and told.field is not None
                is_kind = told.reason in {"UNKNOWN_RESOURCE_KIND", "UNKNOWN_REVISION"}
                is_denied = told.reason in {
                    "INVALID_CREDENTIAL",
                    "INVALID_ORGANIZATION_ID",
                    "NOT_A_MEMBER",
                    "ORGANIZATION_NOT_FOUND",
                }
                fits = is_named and told.field in blamed_with(path)
                if not (fits or is_kind or is_denied):
                    wrong.append((call, path, str(value)[:20], told))
    # Others that start meanwhile may say so.
    crashes = [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING
    ]

    assert [] == wrong
    assert [] == crashes


@pytest.mark.parametrize("engine", ENGINES)
async def test_every_text_has_a_limit_and_a_name(stage: Stage, engine: str) -> None:
    """Twenty thousand characters are refused in every field but a credential's."""
    serving = await stage.shared(Place(Schema.REFERENCE, "tenancy"))
    accepted = []
    for call, path, value in BAD:
        if value != TEXTS[1]:
            continue
        try:
            await serving.send(engine, call, spoilt(call, path, value))
        except aio.AioRpcError as error:
            told = refusal(error)
            if (told.code, told.field) == ("INVALID_ARGUMENT", path):
                continue
        accepted.append((call, path))

    assert [] == accepted


@pytest.mark.parametrize("engine", ENGINES)
async def test_empty_text_is_refused_where_it_would_be_guessed(
    stage: Stage, engine: str
) -> None:
    """An explicit empty text is refused, but for the organization: that is absent."""
    serving = await stage.shared(Place(Schema.REFERENCE, "tenancy"))
    accepted = set()
    for call, path, value in BAD:
        if value == "" and (call, path) not in ANSWERED:
            answer = await code_of(serving, engine, call, spoilt(call, path, value))
            if answer != "INVALID_ARGUMENT":
                accepted.add(path)

    assert {"caller.organization_id"} == accepted


@pytest.mark.parametrize("engine", ENGINES)
async def test_unknown_enum_values_are_refused(stage: Stage, engine: str) -> None:
    """Zero and numbers that mean nothing are refused wherever a choice is required."""
    serving = await stage.shared(Place(Schema.REFERENCE, "tenancy"))
    accepted = []
    for call, path, value in BAD:
        is_choice = value in NUMBERS and not isinstance(value, bool)
        if not is_choice or (value == 0 and (call, path) in ANSWERED):
            continue
        try:
            await serving.send(engine, call, spoilt(call, path, value))
        except aio.AioRpcError as error:
            told = refusal(error)
            if (told.code, told.field) == ("INVALID_ARGUMENT", path):
                continue
        accepted.append((call, path, value))

    assert [] == accepted


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("call", sorted(GOOD))
async def test_good_request_is_answered(stage: Stage, engine: str, call: str) -> None:
    """What the sweep spoils is good before, or it would prove nothing."""
    serving = await stage.shared(Place(Schema.REFERENCE, "tenancy"))
    request = from_bare(GOOD[call], request_type(call))

    actual = await code_of(serving, engine, call, request)

    assert "OK" == actual


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("call", sorted(GOOD))
async def test_empty_request_names_what_is_missing(
    stage: Stage, engine: str, call: str
) -> None:
    """A request with nothing in it is INVALID_ARGUMENT, and says what it lacks."""
    serving = await stage.shared(Place(Schema.REFERENCE, "tenancy"))

    with pytest.raises(aio.AioRpcError) as caught:
        await serving.send(engine, call, request_type(call)())

    wanted = "rules" if call == "ValidateAccessRules" else "caller"
    told = refusal(caught.value)
    assert ("INVALID_ARGUMENT", wanted) == (told.code, told.field)
