"""Answers of the API in the words in which a test file wants them."""

from typing import Final

from authz.v1 import authorization_service_pb2 as pb
from authz.v1 import decision_pb2, permission_pb2
from google.protobuf.message import Message

from sidecar.command.bare_json import to_bare
from sidecar.command.words import enum_word, filter_words
from sidecar.tools.policy_test import Refusal

Answer = Message | Refusal

OPERATIONS: Final = ("read", "create", "update", "delete")


def answer_words(answer: Answer) -> str:
    """What was answered; of a call with several elements, to the first."""
    match answer:
        case pb.ResolveContextResponse():
            return _fields(answer.context)
        case pb.ListContextsResponse():
            return "; ".join(map(_fields, answer.contexts)) or "none"
        case pb.GetPermissionsResponse():
            return permission_words(answer.permissions[0])
        case pb.GetListFilterResponse():
            return filter_words(answer.filter)
        case _:
            return " ".join(verdict_of(answer))


def verdict_of(answer: Answer) -> tuple[str, ...]:
    """`allowed`, `denied` or `refused`, and the words that say why.

    Empty for an answer that carries no decision.
    """
    match answer:
        case Refusal(denial=denial) if denial:
            return "denied", denial, answer.reason
        case Refusal():
            return "refused", answer.code, answer.reason
        case pb.CheckRoleResponse() | pb.AuthorizeResponse():
            return _decision(answer.decision)
        case (
            pb.CheckVisibleResponse()
            | pb.CheckWritableResponse()
            | pb.CheckCreatableResponse()
        ):
            return _decision(answer.decisions[0])
        case _:
            return ()


def permission_words(granted: permission_pb2.Permissions) -> str:
    """Whether to view, and the levels."""
    view = "view" if granted.view else "no-view"
    levels = (f"{name}={level_word(granted, name)}" for name in OPERATIONS)
    return " ".join((view, *levels))


def level_word(granted: permission_pb2.Permissions, operation: str) -> str:
    """The level of an operation: none, my, group or all."""
    level: int = getattr(granted, operation)
    return enum_word(permission_pb2.AccessLevel.DESCRIPTOR, level).lower()


def problem_words(problems: list[permission_pb2.AccessRuleProblem]) -> str:
    """What is wrong with a rule."""
    if not problems:
        return "valid"
    faults = permission_pb2.AccessRuleFault.DESCRIPTOR
    return "invalid " + ", ".join(
        f"{each.field} {enum_word(faults, each.reason)}" for each in problems
    )


def _decision(decision: decision_pb2.Decision) -> tuple[str, ...]:
    reason = enum_word(decision_pb2.Reason.DESCRIPTOR, decision.reason)
    if decision.allowed:
        return "allowed", reason
    return "denied", enum_word(decision_pb2.Denial.DESCRIPTOR, decision.denial), reason


def _fields(message: Message) -> str:
    told = to_bare(message).items()
    return ", ".join(f"{name}={_shown(value)}" for name, value in told)


def _shown(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(map(str, value))}]"
        case _:
            return str(value)
