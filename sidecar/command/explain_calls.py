"""The calls of the API that decide, and the elements that they ask about."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from authz.v1 import authorization_service_pb2 as pb
from authz.v1 import permission_pb2, resource_pb2
from google.protobuf.message import Message

from sidecar.command.words import (
    gate_words,
    new_resource_words,
    query_words,
    requirement_words,
    resource_words,
)

Element: TypeAlias = (
    resource_pb2.Resource
    | resource_pb2.NewResource
    | resource_pb2.RoleGate
    | resource_pb2.Requirement
    | permission_pb2.PermissionQuery
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the API: the fields with the elements asked and answered.

    `asked` is empty where a request is one question; `explains`, whether it has a
    field for that; `is_list`, whether all that is answered is one answer; `is_alone`,
    whether all of the response is; `holds`, the reason for which any answer allows.
    """

    rpc: str
    request: type[Message]
    response: type[Message]
    asked: str
    answered: str
    title: str
    explains: bool = True
    is_list: bool = False
    is_alone: bool = False
    holds: str = ""


CALLS: Final[Mapping[str, Call]] = {
    call.rpc: call
    for call in (
        Call(
            "CheckVisible",
            pb.CheckVisibleRequest,
            pb.CheckVisibleResponse,
            "resources",
            "decisions",
            "what of this may {} see?",
        ),
        Call(
            "CheckWritable",
            pb.CheckWritableRequest,
            pb.CheckWritableResponse,
            "resources",
            "decisions",
            "what of this may {} change?",
        ),
        Call(
            "CheckCreatable",
            pb.CheckCreatableRequest,
            pb.CheckCreatableResponse,
            "resources",
            "decisions",
            "what of this may {} create?",
        ),
        Call(
            "CheckRole",
            pb.CheckRoleRequest,
            pb.CheckRoleResponse,
            "gate",
            "decision",
            "does {} pass this gate?",
        ),
        Call(
            "GetPermissions",
            pb.GetPermissionsRequest,
            pb.GetPermissionsResponse,
            "queries",
            "permissions",
            "what may {} do?",
        ),
        Call(
            "Authorize",
            pb.AuthorizeRequest,
            pb.AuthorizeResponse,
            "requirements",
            "decisions",
            "does all of this hold for {}?",
        ),
        Call(
            "ResolveContext",
            pb.ResolveContextRequest,
            pb.ResolveContextResponse,
            "",
            "context",
            "as which tenant does {} act?",
            explains=False,
        ),
        Call(
            "ListContexts",
            pb.ListContextsRequest,
            pb.ListContextsResponse,
            "",
            "contexts",
            "as which tenants may {} act?",
            explains=False,
            is_list=True,
        ),
        Call(
            "GetListFilter",
            pb.GetListFilterRequest,
            pb.GetListFilterResponse,
            "",
            "filter",
            "which rows may {} list?",
            explains=False,
            is_alone=True,
        ),
    )
}


def elements_of(call: Call, request: Message) -> Sequence[Element]:
    """The elements of a request."""
    if not call.asked:
        return ()
    value = getattr(request, call.asked)
    if isinstance(value, resource_pb2.RoleGate):
        return [value]
    return cast("Sequence[Element]", value)


def element_words(element: Element) -> str:
    """An element, as it is written for `ask`."""
    match element:
        case resource_pb2.Resource():
            return resource_words(element)
        case resource_pb2.NewResource():
            return new_resource_words(element)
        case resource_pb2.RoleGate():
            return gate_words(element)
        case resource_pb2.Requirement():
            return requirement_words(element)
        case _:
            return query_words(element)


def requirement_of(call: Call, element: Element) -> resource_pb2.Requirement | None:
    """What must hold for an element to be allowed; none for what only informs."""
    make = _REQUIREMENTS.get(call.rpc)
    return None if make is None else make(element)


_REQUIREMENTS: Final[Mapping[str, Callable[[Element], resource_pb2.Requirement]]] = {
    "CheckVisible": lambda each: resource_pb2.Requirement(
        visible=cast("resource_pb2.Resource", each)
    ),
    "CheckWritable": lambda each: resource_pb2.Requirement(
        writable=resource_pb2.WritableRequirement(
            resource=cast("resource_pb2.Resource", each)
        )
    ),
    "CheckCreatable": lambda each: resource_pb2.Requirement(
        creatable=cast("resource_pb2.NewResource", each)
    ),
    "CheckRole": lambda each: resource_pb2.Requirement(
        role=cast("resource_pb2.RoleGate", each)
    ),
    "Authorize": lambda each: cast("resource_pb2.Requirement", each),
}
