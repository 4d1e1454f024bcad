"""What an administrator can do about a denial, from its reason and its steps.

A command stands here only where carrying it out makes the same question allowed.
Where more may be missing than the steps can tell, there are words and no command.
"""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from authz.v1 import caller_pb2, decision_pb2, permission_pb2, resource_pb2

from sidecar.command.words import enum_word

_PROGRAM = "authz-sidecar"
_TICKED = "`([^`]+)`"
_CURRENT = re.compile(rf"current principal {_TICKED}: .*")
_USER = re.compile(rf"user {_TICKED} \(.*")
_MEMBER = re.compile(rf"active membership {_TICKED}, org role .*")
_OWNER = re.compile(rf"owner: {_TICKED}, current principal: .*")
_CLUSTER = re.compile(rf"cluster of the resource: {_TICKED}, accessible clusters: .*")
_ITSELF = re.compile(r"the resource is (itself) a cluster, .*")
_LIVE = re.compile(r"principal of kind (org), live")


@dataclass(frozen=True, slots=True)
class Advice:
    """What helps. With a `command`, carrying that out makes it allowed."""

    text: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, and by whom."""

    caller: caller_pb2.Caller
    requirement: resource_pb2.Requirement


@dataclass(frozen=True, slots=True)
class Case:
    """A denial with what was asked; its properties are none for what is not told."""

    asked: Asked
    explanation: decision_pb2.Explanation

    @property
    def current(self) -> str | None:
        """The current principal."""
        return self._told("context.principal", _CURRENT)

    @property
    def user(self) -> str | None:
        """The user's id."""
        named = self.asked.caller
        if named.WhichOneof("identity") == "user_id":
            return named.user_id
        return self._told("context", _USER)

    @property
    def is_member(self) -> bool:
        """Whether there is an active membership in the current principal."""
        return self._told("context.membership", _MEMBER) is not None

    @property
    def is_live_organization(self) -> bool:
        """Whether the current principal is one."""
        return self._told("context.organization", _LIVE) is not None

    @property
    def owner(self) -> str | None:
        """The owner of the row."""
        rules = ("visible.owned", "writable.owner")
        found = (self._told(rule, _OWNER) for rule in rules)
        return next((each for each in found if each is not None), None)

    @property
    def lacking_cluster(self) -> str | None:
        """The cluster of which a grant was looked for and not found."""
        cluster = self._told("visible.granted", _CLUSTER)
        is_itself = self._told("visible.granted", _ITSELF) is not None
        return self.asked.requirement.visible.id if is_itself else cluster

    def tried(self, rule: str) -> bool:
        """Whether a rule was tried."""
        return any(step.rule == rule for step in self.explanation.steps)

    def decided(self, rule: str) -> bool:
        """Whether a rule denied."""
        denied = decision_pb2.STEP_OUTCOME_DENIED
        return any(
            step.rule == rule and step.outcome == denied
            for step in self.explanation.steps
        )

    def _told(self, rule: str, form: re.Pattern[str]) -> str | None:
        for step in self.explanation.steps:
            found = form.fullmatch(step.detail) if step.rule == rule else None
            if found is not None:
                return found[1]
        return None


def advise(decision: decision_pb2.Decision, asked: Asked) -> Advice | None:
    """What helps against a denial; none where it is allowed."""
    if decision.allowed:
        return None
    reason = enum_word(decision_pb2.Reason.DESCRIPTOR, decision.reason)
    find = BY_REASON.get(reason)
    return None if find is None else find(Case(asked, decision.explanation))


def _not_found(case: Case) -> Advice:
    if case.decided("exists"):
        return Advice("there is no such row: look at its kind, its id and its deletion")
    if case.decided("writable.visible"):
        return Advice("it must be visible first: ask `check-visible --explain`")
    cluster, current = case.lacking_cluster, case.current
    if case.tried("visible.granted") and cluster is not None and current is not None:
        command = _command("cluster grant", cluster=cluster, to=current)
        return Advice(f"grant cluster {cluster} to principal {current}", command)
    if case.owner is None:
        return Advice("nobody owns it, and it is in no cluster that could be granted")
    return Advice(f"only its owner sees it: act as principal {case.owner}")


def _not_a_member(case: Case) -> Advice:
    current, user = case.current, case.user
    if current is None or user is None or not case.is_live_organization:
        return Advice("name an organization that exists, of which the user is a member")
    first = _command("member add", org=current, user=user)
    return Advice(
        f"first make user {user} a member of organization {current}, then ask again: "
        f"`{first}`, or `member enable` where the membership is only disabled"
    )


def _org_role(case: Case) -> Advice:
    current, user, role = case.current, case.user, _wanted_role(case.asked)
    if current is None or user is None or not case.is_member:
        return Advice("act in an organization: without a membership nobody has a role")
    command = _command("member add", org=current, user=user, role=role)
    return Advice(
        f"give user {user} the role {role} in organization {current}", command
    )


def _wanted_role(asked: Asked) -> str:
    roles = asked.requirement.role.any_of_org_roles.roles
    if not roles:
        return "admin"
    # The one that gives least is named, where there is a choice.
    named = [enum_word(caller_pb2.OrgRole.DESCRIPTOR, each) for each in roles]
    return max(named).lower()


def _global(case: Case) -> Advice:
    if case.asked.requirement.HasField("creatable"):
        return Advice("name an owner: only platform admins create what nobody owns")
    return Advice("nobody owns it: a platform admin in All mode can, naming no --org")


def _other_owner(case: Case) -> Advice:
    if case.asked.requirement.HasField("creatable"):
        return Advice(f"name the current principal, {case.current}, as the owner")
    return Advice(f"only its owner's admins change it: act as principal {case.owner}")


def _permission(case: Case) -> Advice:
    wanted = case.asked.requirement.permission
    roles = case.explanation.permission.roles
    basis = case.explanation.permission.basis
    if basis != permission_pb2.PERMISSION_BASIS_ROLES:
        return Advice("only roles of an active membership in a live organization count")
    role = _silent_role(roles)
    if role is not None:
        query = query_words_of(wanted.query)
        command = _rule_command(role.role_id, wanted)
        return Advice(
            f"let role {role.role_id} allow it, for all who hold it: {query}", command
        )
    if not roles:
        return Advice("no role is held: `role assign` gives one")
    return Advice(
        "raise the level in a rule that took part (`rule list`, `rule set`), or assign "
        "another role (`role assign`)"
    )


def _silent_role(
    roles: Sequence[permission_pb2.RoleExplanation],
) -> permission_pb2.RoleExplanation | None:
    """A role that fits and says nothing of the item: a rule can only add to it.

    Of the highest scope that took part, so that it counts whatever the precedence
    is, and silences nobody.
    """
    took_part = permission_pb2.ROLE_OUTCOME_TOOK_PART
    silent = permission_pb2.ROLE_OUTCOME_NO_MATCHING_RULE
    scopes = [each.scope for each in roles if each.outcome == took_part]
    for each in roles:
        if each.outcome == silent and (not scopes or each.scope == max(scopes)):
            return each
    return None


def _rule_command(role_id: str, wanted: resource_pb2.PermissionRequirement) -> str:
    query = wanted.query
    context = enum_word(permission_pb2.RuleContext.DESCRIPTOR, query.context)
    options = {"role": role_id, "context": context}
    if query.HasField("item"):
        options["item"] = query.item
    operation = enum_word(permission_pb2.Operation.DESCRIPTOR, wanted.operation).lower()
    if context != "DATA":
        return f"{_command('rule set', **options)} --view"
    if operation == "view":
        return f"{_command('rule set', **options, read='none')} --view"
    level = enum_word(permission_pb2.AccessLevel.DESCRIPTOR, wanted.least_level).lower()
    levels = {"read": level, operation: level}
    return f"{_command('rule set', **options, **levels)} --view"


def query_words_of(query: permission_pb2.PermissionQuery) -> str:
    """What a rule must be about."""
    context = enum_word(permission_pb2.RuleContext.DESCRIPTOR, query.context)
    return (
        f"{context} {query.item}" if query.HasField("item") else f"{context}, generic"
    )


def _command(name: str, **options: str) -> str:
    written = " ".join(_option(each, text) for each, text in options.items())
    return f"{_PROGRAM} {name} {written}"


def _option(name: str, text: str) -> str:
    # What begins with a dash would be read as an option of its own.
    link = "=" if text.startswith("-") else " "
    return f"--{name}{link}{shlex.quote(text)}"


def _said(text: str) -> Callable[[Case], Advice]:
    return lambda _: Advice(text)


BY_REASON: Mapping[str, Callable[[Case], Advice]] = {
    "INVALID_CREDENTIAL": _said(
        "look at the user: known, active, its principal live and of kind user? at the "
        "key: expired, revoked?"
    ),
    "INVALID_ORGANIZATION_ID": _said("write the organization's id as it is stored"),
    "UNKNOWN_RESOURCE_KIND": _said(
        "declare the kind in the settings, `resource_kinds`, and start the server anew"
    ),
    "NOT_A_MEMBER": _not_a_member,
    "ORGANIZATION_NOT_FOUND": _said(
        "name an organization that is not deleted: for a group, the one it belongs to"
    ),
    "RESOURCE_NOT_FOUND": _not_found,
    "GLOBAL_RESOURCE": _global,
    "OTHER_OWNER": _other_owner,
    "INSUFFICIENT_ORG_ROLE": _org_role,
    "PLATFORM_ADMIN_REQUIRED": _said(
        "only the platform itself makes a user a platform admin: `users.is_admin`"
    ),
    "NO_ORG_CONTEXT": _said("name an organization: --org"),
    "INSUFFICIENT_PERMISSION": _permission,
    # These are said at the edge alone, to whoever tests its routes.
    "PATH_NOT_CANONICAL": _said("send the path in its one canonical form"),
    "NO_ROUTE": _said("declare a route for the method and path"),
    "UNKNOWN_RULE_SET": _said("name a rule set of the file of routes in Envoy"),
    "CREDENTIAL_MISSING": _said("send a credential, or make the route public"),
    "TWO_CREDENTIALS": _said("send one credential"),
    "REPEATED_HEADER": _said("send each header that says who calls once"),
    "VALUE_NOT_USABLE": _said(
        "send what the route's requirements name: an id, or plain words of an item"
    ),
    "IDENTITY_NOT_SENDABLE": _said("give the caller ids that fit into a header"),
}
