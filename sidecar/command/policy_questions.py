"""The questions that a test file can ask, each as a request of the API."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from authz.v1 import authorization_service_pb2 as pb
from authz.v1 import caller_pb2
from google.protobuf.message import Message

from sidecar.command.bare_json import BareJsonError, Json, from_bare
from sidecar.command.policy_syntax import (
    read_context,
    read_contexts,
    read_formula,
    read_levels,
    read_verdict,
)
from sidecar.command.policy_wanted import Wanted
from sidecar.command.syntax import (
    OptionSyntaxError,
    read_gate,
    read_new_resource,
    read_query,
    read_requirement,
    read_resource,
    read_rule,
)
from sidecar.tools.policy_yaml import FileError, Node, Place


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of question: the call that it is, and how both sides are written.

    `fields` gives the request's fields for one element, as bare JSON.
    """

    call: str
    fields: Callable[[str], dict[str, Json]]
    read_wanted: Callable[[Node], Wanted]


def _visible(text: str) -> dict[str, Json]:
    return {"resources": [read_resource(text)]}


def _writable(text: str) -> dict[str, Json]:
    # As a requirement, a resource may say that its visibility was checked already.
    match read_requirement(f"writable:{text}"):
        case {"writable": {"resource": resource, "skip_visible": skips}}:
            return {"resources": [resource], "skip_visible": skips}
        case _:
            return _visible(text)


def _creatable(text: str) -> dict[str, Json]:
    return {"resources": [read_new_resource(text)]}


def _role(text: str) -> dict[str, Json]:
    return {"gate": read_gate(text)}


def _permissions(text: str) -> dict[str, Json]:
    return {"queries": [read_query(text)]}


def _filter(text: str) -> dict[str, Json]:
    kind, separator, query = text.partition(",permission=")
    permission: dict[str, Json] = {"permission": read_query(query)} if separator else {}
    return {"kind": kind, **permission}


# Asked about elements, each with an answer of its own.
ELEMENT_FORMS: Final[Mapping[str, Form]] = {
    "visible": Form("CheckVisible", _visible, read_verdict),
    "writable": Form("CheckWritable", _writable, read_verdict),
    "creatable": Form("CheckCreatable", _creatable, read_verdict),
    "role": Form("CheckRole", _role, read_verdict),
    "permissions": Form("GetPermissions", _permissions, read_levels),
    "filter": Form("GetListFilter", _filter, read_formula),
}
# Asked about the caller alone.
CALLER_FORMS: Final[Mapping[str, Form]] = {
    "context": Form("ResolveContext", lambda _: {}, read_context),
    "contexts": Form("ListContexts", lambda _: {}, read_contexts),
}
AUTHORIZE: Final = "authorize"
RULES: Final = "rules"
QUESTIONS: Final = (*ELEMENT_FORMS, *CALLER_FORMS, AUTHORIZE, RULES)


def make_request(
    form: Form, element: str, caller: caller_pb2.Caller, place: Place
) -> Message:
    """The request that asks about one element.

    Raises:
        FileError: the element is not of its form.
    """
    request_type: type[Message] = getattr(pb, f"{form.call}Request")
    try:
        request = from_bare(form.fields(element), request_type)
    except (OptionSyntaxError, BareJsonError) as error:
        raise FileError(str(error), place) from error
    asker: caller_pb2.Caller = getattr(request, "caller")  # noqa: B009  all have one
    asker.CopyFrom(caller)
    return request


def make_authorize(
    requirements: list[tuple[str, Place]], caller: caller_pb2.Caller
) -> pb.AuthorizeRequest:
    """The request that asks about all requirements at once.

    Raises:
        FileError: a requirement is not of its form.
    """
    request = pb.AuthorizeRequest(caller=caller)
    for text, place in requirements:
        try:
            one = from_bare({"requirements": [read_requirement(text)]}, type(request))
        except (OptionSyntaxError, BareJsonError) as error:
            raise FileError(str(error), place) from error
        request.requirements.extend(one.requirements)
    return request


def make_rules(rules: list[tuple[str, Place]]) -> pb.ValidateAccessRulesRequest:
    """The request that asks about all rules at once.

    Raises:
        FileError: a rule is not of its form.
    """
    request = pb.ValidateAccessRulesRequest()
    for text, place in rules:
        try:
            one = from_bare({"rules": [read_rule(text)]}, type(request))
        except (OptionSyntaxError, BareJsonError) as error:
            raise FileError(str(error), place) from error
        request.rules.extend(one.rules)
    return request
