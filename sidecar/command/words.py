"""Questions in the words of the command line: messages to text for people."""

import re

from authz.v1 import caller_pb2, filter_pb2, permission_pb2, resource_pb2
from rich.text import Text

from sidecar.command.bare_json import Enum, bare_name

_OPERATORS = {"all_of": " AND ", "any_of": " OR "}
_ODD = re.compile(r"[^\S ]|[^\s\w!-~]")


def plain(text: str, style: str = "") -> Text:
    """Text from elsewhere that can neither style nor steer the terminal."""
    return Text(_ODD.sub(_shown, text), style=style)


def caller_words(caller: caller_pb2.Caller) -> str:
    """Who asks, without secrets."""
    parts = [_identity_words(caller)]
    if caller.HasField("pinned_principal_id"):
        parts.append(f"pinned to principal {caller.pinned_principal_id}")
    if caller.organization_id:
        parts.append(f"in organization {caller.organization_id}")
    return " ".join(parts)


def resource_words(resource: resource_pb2.Resource) -> str:
    """A resource, as it is written for `ask`."""
    words = f"{resource.kind}/{resource.id}"
    if not resource.HasField("attributes"):
        return words
    attributes = resource.attributes
    words += _owner_words(attributes)
    if attributes.HasField("cluster_id"):
        words += f",cluster={attributes.cluster_id}"
    return words


def new_resource_words(resource: resource_pb2.NewResource) -> str:
    """A resource that is to be, as it is written for `ask`."""
    return resource.kind + _owner_words(resource)


def query_words(query: permission_pb2.PermissionQuery) -> str:
    """A permission query, as it is written for `ask`."""
    words = enum_word(permission_pb2.RuleContext.DESCRIPTOR, query.context)
    if query.HasField("item"):
        words += f":{query.item}"
    if query.HasField("feature_instance_id"):
        words += f"@{query.feature_instance_id}"
    return words


def gate_words(gate: resource_pb2.RoleGate) -> str:
    """A role gate, as it is written for `ask`."""
    if gate.WhichOneof("gate") == "platform_admin":
        return "platform_admin"
    roles = gate.any_of_org_roles.roles
    return "|".join(
        enum_word(caller_pb2.OrgRole.DESCRIPTOR, role).lower() for role in roles
    )


def requirement_words(requirement: resource_pb2.Requirement) -> str:
    """A requirement, as it is written for `ask`."""
    match requirement.WhichOneof("requirement"):
        case "visible":
            return f"visible:{resource_words(requirement.visible)}"
        case "writable":
            skips = ",skip-visible" if requirement.writable.skip_visible else ""
            return f"writable:{resource_words(requirement.writable.resource)}{skips}"
        case "creatable":
            return f"creatable:{new_resource_words(requirement.creatable)}"
        case "role":
            return f"role:{gate_words(requirement.role)}"
        case _:
            return _permission_words(requirement.permission)


def filter_words(chosen: filter_pb2.ListFilter) -> str:
    """A list filter as a formula."""
    if chosen.WhichOneof("selection") != "condition":
        return str(chosen.WhichOneof("selection"))
    return _condition_words(chosen.condition)


def enum_word(enum: Enum, number: int) -> str:
    """The bare name of an enum's value."""
    return bare_name(enum, number)


def _identity_words(caller: caller_pb2.Caller) -> str:
    match caller.WhichOneof("identity"):
        case "user_id":
            return f"user {caller.user_id}"
        case "api_key":
            return "the holder of an API key"
        case "access_token":
            return "the bearer of an access token"
        case _:
            return f"{caller.subject.subject} of {caller.subject.issuer}"


def _owner_words(
    owned: resource_pb2.ResourceAttributes | resource_pb2.NewResource,
) -> str:
    match owned.WhichOneof("owner"):
        case "owner_principal_id":
            return f",owner={owned.owner_principal_id}"
        case "global":
            return ",global"
        case _:
            return ""


def _permission_words(required: resource_pb2.PermissionRequirement) -> str:
    operation = enum_word(permission_pb2.Operation.DESCRIPTOR, required.operation)
    words = f"permission:{query_words(required.query)}:{operation.lower()}"
    if not required.least_level:
        return words
    level = enum_word(permission_pb2.AccessLevel.DESCRIPTOR, required.least_level)
    return f"{words}>={level.lower()}"


def _condition_words(condition: filter_pb2.FilterCondition) -> str:
    match condition.WhichOneof("condition"):
        case ("all_of" | "any_of") as operator:
            parts = getattr(condition, operator).conditions
            return f"({_OPERATORS[operator].join(map(_condition_words, parts))})"
        case "equals":
            return f"{_field_word(condition.equals.field)} = {condition.equals.value}"
        case _:
            inside = getattr(condition, "in")
            return f"{_field_word(inside.field)} IN ({', '.join(inside.values)})"


def _field_word(number: int) -> str:
    return enum_word(filter_pb2.FilterField.DESCRIPTOR, number).lower()


def _shown(match: re.Match[str]) -> str:
    return match[0] if match[0].isprintable() else repr(match[0])[1:-1]
