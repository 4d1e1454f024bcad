"""Access rules that are to be validated, and what is wrong with them."""

from collections.abc import Sequence

from authz.v1 import authorization_service_pb2 as api
from authz.v1 import permission_pb2

from sidecar.core.ids import RoleId, RuleId
from sidecar.core.model import AccessLevel
from sidecar.core.reasons import RuleFault
from sidecar.core.rules import Fault, StoredRule, duplicates, faults
from sidecar.transport.parse import (
    RULE_CONTEXTS,
    Limits,
    counted,
    is_longer,
    known,
    required,
)
from sidecar.transport.status import malformed

_LEVELS: dict[int, AccessLevel] = {
    permission_pb2.ACCESS_LEVEL_NONE: AccessLevel.NONE,
    permission_pb2.ACCESS_LEVEL_MY: AccessLevel.MY,
    permission_pb2.ACCESS_LEVEL_GROUP: AccessLevel.GROUP,
    permission_pb2.ACCESS_LEVEL_ALL: AccessLevel.ALL,
}


def validate(
    messages: Sequence[permission_pb2.AccessRule], limits: Limits
) -> api.ValidateAccessRulesResponse:
    """What is wrong with rules, in their order."""
    counted(messages, "rules", limits.elements)
    rules = [
        _rule(message, f"rules[{index}]", limits)
        for index, message in enumerate(messages)
    ]
    repeated = set(duplicates(rules))
    response = api.ValidateAccessRulesResponse()
    for index, (_, rule) in enumerate(rules):
        found = list(faults(rule))
        if index in repeated:
            found.append(Fault("item", RuleFault.DUPLICATE))
        response.problems.extend(_problem(index, each) for each in found)
    return response


def _rule(
    message: permission_pb2.AccessRule, path: str, limits: Limits
) -> tuple[RoleId, StoredRule]:
    role_id = required(message.role_id, f"{path}.role_id", limits.id_bytes)
    # A malformed item is what this call finds out; only its size is a refusal.
    item = message.item if message.HasField("item") else None
    if item is not None and is_longer(item, limits.item_bytes):
        raise malformed(f"{path}.item", f"must be at most {limits.item_bytes} bytes")
    rule = StoredRule(
        RuleId(""),
        known(RULE_CONTEXTS, message.context, f"{path}.context"),
        item,
        message.view,
        _level(message.read, f"{path}.read"),
        _level(message.create, f"{path}.create"),
        _level(message.update, f"{path}.update"),
        _level(message.delete, f"{path}.delete"),
    )
    return RoleId(role_id), rule


def _level(value: int, field: str) -> AccessLevel | None:
    return None if value == 0 else known(_LEVELS, value, field)


def _problem(index: int, fault: Fault) -> permission_pb2.AccessRuleProblem:
    reason = permission_pb2.AccessRuleFault.Value(
        f"ACCESS_RULE_FAULT_{fault.fault.name}"
    )
    return permission_pb2.AccessRuleProblem(
        rule_index=index, field=fault.field, reason=reason, message=fault.fault.text
    )
