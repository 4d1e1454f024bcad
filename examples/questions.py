"""The calls of the API as the demo makes them: a question, its answer in words."""

from collections.abc import Iterable

from authz.v1 import authorization_service_pb2 as pb
from authz.v1.authorization_service_pb2_grpc import AuthorizationServiceStub
from authz.v1.caller_pb2 import Caller
from authz.v1.decision_pb2 import Decision
from authz.v1.filter_pb2 import (
    FILTER_FIELD_ID,
    FILTER_FIELD_ORGANIZATION_ID,
    FILTER_FIELD_OWNER_PRINCIPAL_ID,
    PLACEHOLDER_STYLE_DOLLAR,
    SqlColumn,
    SqlOptions,
)
from authz.v1.permission_pb2 import (
    AccessRule,
    AccessRuleFault,
    PermissionExplanation,
    PermissionQuery,
)
from authz.v1.resource_pb2 import NewResource, Requirement, Resource, RoleGate
from telling import (
    available_words,
    context_words,
    decision_words,
    parameter_words,
    permission_words,
)

# Seconds. An answer takes well under a millisecond, but this machine may be busy.
TIMEOUT = 10


class Questions:
    """Asks one server."""

    def __init__(self, stub: AuthorizationServiceStub) -> None:
        self._stub = stub

    def contexts(self, caller: Caller) -> str:
        """ListContexts."""
        request = pb.ListContextsRequest(caller=caller)
        answer = self._stub.ListContexts(request, timeout=TIMEOUT)
        return "\n".join(map(available_words, answer.contexts))

    def context(self, caller: Caller) -> str:
        """ResolveContext."""
        request = pb.ResolveContextRequest(caller=caller)
        answer = self._stub.ResolveContext(request, timeout=TIMEOUT)
        return context_words(answer.context)

    def visible(self, caller: Caller, *resources: Resource) -> str:
        """CheckVisible."""
        request = pb.CheckVisibleRequest(caller=caller, resources=resources)
        return _each(self._stub.CheckVisible(request, timeout=TIMEOUT).decisions)

    def look_alike(self, caller: Caller, one: Resource, other: Resource) -> str:
        """CheckVisible of two resources: whether the answers can be told apart."""
        request = pb.CheckVisibleRequest(caller=caller, resources=[one, other])
        first, second = self._stub.CheckVisible(request, timeout=TIMEOUT).decisions
        same = first.SerializeToString() == second.SerializeToString()
        return f"{decision_words(first)}, {'the same' if same else 'different'} bytes"

    def writable(self, caller: Caller, *resources: Resource) -> str:
        """CheckWritable."""
        request = pb.CheckWritableRequest(caller=caller, resources=resources)
        return _each(self._stub.CheckWritable(request, timeout=TIMEOUT).decisions)

    def why_not_writable(self, caller: Caller, resource: Resource) -> Decision:
        """CheckWritable with its explanation."""
        request = pb.CheckWritableRequest(
            caller=caller, resources=[resource], explain=True
        )
        return self._stub.CheckWritable(request, timeout=TIMEOUT).decisions[0]

    def creatable(self, caller: Caller, *resources: NewResource) -> str:
        """CheckCreatable."""
        request = pb.CheckCreatableRequest(caller=caller, resources=resources)
        return _each(self._stub.CheckCreatable(request, timeout=TIMEOUT).decisions)

    def has_role(self, caller: Caller, gate: RoleGate) -> str:
        """CheckRole."""
        request = pb.CheckRoleRequest(caller=caller, gate=gate)
        return decision_words(self._stub.CheckRole(request, timeout=TIMEOUT).decision)

    def permissions(self, caller: Caller, *queries: PermissionQuery) -> str:
        """GetPermissions."""
        request = pb.GetPermissionsRequest(caller=caller, queries=queries)
        answer = self._stub.GetPermissions(request, timeout=TIMEOUT)
        return "\n".join(map(permission_words, answer.permissions))

    def why_permissions(
        self, caller: Caller, query: PermissionQuery
    ) -> PermissionExplanation:
        """GetPermissions with its explanation."""
        request = pb.GetPermissionsRequest(caller=caller, queries=[query], explain=True)
        answer = self._stub.GetPermissions(request, timeout=TIMEOUT)
        return answer.permissions[0].explanation

    def authorize(self, caller: Caller, *requirements: Requirement) -> str:
        """Authorize."""
        request = pb.AuthorizeRequest(caller=caller, requirements=requirements)
        return decision_words(self._stub.Authorize(request, timeout=TIMEOUT).decision)

    def list_sql(
        self, caller: Caller, kind: str, permission: PermissionQuery | None = None
    ) -> str:
        """GetListFilter, as SQL over a table `c`."""
        columns = {
            FILTER_FIELD_OWNER_PRINCIPAL_ID: "c.owner_id",
            FILTER_FIELD_ID: "c.id",
            FILTER_FIELD_ORGANIZATION_ID: "c.owner_id",
        }
        options = SqlOptions(
            columns=[
                SqlColumn(field=field, column=name) for field, name in columns.items()
            ],
            placeholder_style=PLACEHOLDER_STYLE_DOLLAR,
        )
        request = pb.GetListFilterRequest(
            caller=caller, kind=kind, permission=permission, sql=options
        )
        sql = self._stub.GetListFilter(request, timeout=TIMEOUT).sql
        values = map(parameter_words, sql.parameters)
        numbered = (f"${number} = {value}" for number, value in enumerate(values, 1))
        return "\n".join([f"WHERE {sql.text}", *numbered])

    def problems(self, *rules: AccessRule) -> str:
        """ValidateAccessRules."""
        request = pb.ValidateAccessRulesRequest(rules=rules)
        answer = self._stub.ValidateAccessRules(request, timeout=TIMEOUT)
        return "\n".join(
            f"rule {problem.rule_index}, {problem.field}: "
            + AccessRuleFault.Name(problem.reason).removeprefix("ACCESS_RULE_FAULT_")
            for problem in answer.problems
        )

    def server(self) -> pb.GetServerInfoResponse:
        """GetServerInfo."""
        request = pb.GetServerInfoRequest()
        return self._stub.GetServerInfo(request, timeout=TIMEOUT)


def _each(decisions: Iterable[Decision]) -> str:
    return "\n".join(map(decision_words, decisions))
