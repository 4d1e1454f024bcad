"""Requests to questions: resources, requirements, filters and rules."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from authz.v1 import caller_pb2, filter_pb2, permission_pb2, resource_pb2

from sidecar.core.authorize import (
    MustBeCreatable,
    MustBeVisible,
    MustBeWritable,
    MustPass,
    MustPermit,
    NamedResource,
    Requirement,
)
from sidecar.core.filters import Field
from sidecar.core.gates import OrgRoleGate, PlatformAdminGate
from sidecar.core.ids import ClusterId, PrincipalId, ResourceId
from sidecar.core.model import (
    AccessLevel,
    Operation,
    OrgRole,
    ResourceKind,
    ResourceRecord,
    RuleContext,
)
from sidecar.core.sql import PlaceholderStyle, SqlOptions, is_column
from sidecar.service.asking import Caller
from sidecar.transport.parse import Limits, counted, known, parse_query, required
from sidecar.transport.status import malformed

_LAST_FIRST_PARAMETER = 32_767

_ORG_ROLES: dict[int, OrgRole] = {
    caller_pb2.ORG_ROLE_ADMIN: OrgRole.ADMIN,
    caller_pb2.ORG_ROLE_USER: OrgRole.USER,
}
_OPERATIONS: dict[int, Operation] = {
    permission_pb2.OPERATION_VIEW: Operation.VIEW,
    permission_pb2.OPERATION_READ: Operation.READ,
    permission_pb2.OPERATION_CREATE: Operation.CREATE,
    permission_pb2.OPERATION_UPDATE: Operation.UPDATE,
    permission_pb2.OPERATION_DELETE: Operation.DELETE,
}
_LEAST_LEVELS: dict[int, AccessLevel] = {
    permission_pb2.ACCESS_LEVEL_MY: AccessLevel.MY,
    permission_pb2.ACCESS_LEVEL_GROUP: AccessLevel.GROUP,
    permission_pb2.ACCESS_LEVEL_ALL: AccessLevel.ALL,
}
_FIELDS: dict[int, Field] = {
    filter_pb2.FILTER_FIELD_OWNER_PRINCIPAL_ID: Field.OWNER_PRINCIPAL_ID,
    filter_pb2.FILTER_FIELD_CLUSTER_ID: Field.CLUSTER_ID,
    filter_pb2.FILTER_FIELD_ID: Field.ID,
    filter_pb2.FILTER_FIELD_CREATED_BY: Field.CREATED_BY,
    filter_pb2.FILTER_FIELD_ORGANIZATION_ID: Field.ORGANIZATION_ID,
}
_STYLES: dict[int, PlaceholderStyle] = {
    filter_pb2.PLACEHOLDER_STYLE_DOLLAR: PlaceholderStyle.DOLLAR,
    filter_pb2.PLACEHOLDER_STYLE_FORMAT: PlaceholderStyle.FORMAT,
    filter_pb2.PLACEHOLDER_STYLE_QUESTION: PlaceholderStyle.QUESTION,
    filter_pb2.PLACEHOLDER_STYLE_NAMED: PlaceholderStyle.NAMED,
}


@dataclass(frozen=True, slots=True)
class ResourceParser:
    """Parses resources by the kinds that are declared."""

    kinds: Mapping[str, ResourceKind]
    limits: Limits

    def resources(
        self, messages: Sequence[resource_pb2.Resource]
    ) -> list[NamedResource]:
        """The resources of a check."""
        counted(messages, "resources", self.limits.elements)
        return [
            self.resource(message, "resources", index)
            for index, message in enumerate(messages)
        ]

    def new_resources(
        self, messages: Sequence[resource_pb2.NewResource]
    ) -> list[MustBeCreatable]:
        """The resources of a creation check."""
        counted(messages, "resources", self.limits.elements)
        return [
            self.new_resource(message, f"resources[{index}]")
            for index, message in enumerate(messages)
        ]

    def requirements(
        self, messages: Sequence[resource_pb2.Requirement], caller: Caller
    ) -> list[Requirement]:
        """The requirements of Authorize."""
        counted(messages, "requirements", self.limits.requirements)
        return [
            self._requirement(message, f"requirements[{index}]", caller)
            for index, message in enumerate(messages)
        ]

    def resource(
        self, message: resource_pb2.Resource, path: str, index: int | None = None
    ) -> NamedResource:
        """One row; the path is spelt out only for an error."""
        kind, resource_id = message.kind, message.id
        limit = self.limits.id_bytes
        # A text this short is within the limit whatever its characters are.
        short = limit // 4
        if not (0 < len(kind) <= short and 0 < len(resource_id) <= short):
            where = path if index is None else f"{path}[{index}]"
            required(kind, f"{where}.kind", limit)
            required(resource_id, f"{where}.id", limit)
        if not message.HasField("attributes"):
            return NamedResource(kind, ResourceId(resource_id))
        where = path if index is None else f"{path}[{index}]"
        record = self._record(message.attributes, kind, f"{where}.attributes")
        return NamedResource(kind, ResourceId(resource_id), record)

    def _record(
        self, message: resource_pb2.ResourceAttributes, kind: str, path: str
    ) -> ResourceRecord:
        declared = self.kinds.get(kind)
        owner = self._owner(message, declared, path)
        if not message.HasField("cluster_id"):
            return ResourceRecord(owner, None)
        field = f"{path}.cluster_id"
        cluster = required(message.cluster_id, field, self.limits.id_bytes)
        if declared is not None and not declared.carries_cluster:
            raise malformed(field, f"is not carried by kind `{kind}`")
        return ResourceRecord(owner, ClusterId(cluster))

    def new_resource(
        self, message: resource_pb2.NewResource, path: str
    ) -> MustBeCreatable:
        """A row that is to be."""
        kind = required(message.kind, f"{path}.kind", self.limits.id_bytes)
        return MustBeCreatable(kind, self._owner(message, self.kinds.get(kind), path))

    def _owner(
        self,
        message: resource_pb2.ResourceAttributes | resource_pb2.NewResource,
        declared: ResourceKind | None,
        path: str,
    ) -> PrincipalId | None:
        match message.WhichOneof("owner"):
            case "owner_principal_id":
                field = f"{path}.owner_principal_id"
                limit = self.limits.id_bytes
                owner = required(message.owner_principal_id, field, limit)
                if declared is not None and not declared.carries_owner:
                    raise malformed(field, f"is not carried by kind `{declared.name}`")
                return PrincipalId(owner)
            case "global":
                if not getattr(message, "global"):
                    raise malformed(f"{path}.global", "must be true when it is set")
                return None
            case None:
                # An owner forgotten must not read as a global row.
                if declared is not None and declared.carries_owner:
                    problem = "must say who owns the row, or that it is global"
                    raise malformed(f"{path}.owner_principal_id", problem)
                return None

    def _requirement(
        self, message: resource_pb2.Requirement, path: str, caller: Caller
    ) -> Requirement:
        match message.WhichOneof("requirement"):
            case "visible":
                return MustBeVisible(self.resource(message.visible, f"{path}.visible"))
            case "writable":
                where = f"{path}.writable.resource"
                if not message.writable.HasField("resource"):
                    raise malformed(where, "must be set")
                resource = self.resource(message.writable.resource, where)
                return MustBeWritable(resource, message.writable.skip_visible)
            case "creatable":
                return self.new_resource(message.creatable, f"{path}.creatable")
            case "role":
                return parse_gate(message.role, f"{path}.role")
            case "permission":
                where = f"{path}.permission"
                return self._permission(message.permission, where, caller)
            case None:
                raise malformed(path, "must say what is required")

    def _permission(
        self, message: resource_pb2.PermissionRequirement, path: str, caller: Caller
    ) -> MustPermit:
        if not message.HasField("query"):
            raise malformed(f"{path}.query", "must be set")
        query = parse_query(message.query, f"{path}.query", caller, self.limits)
        operation = known(_OPERATIONS, message.operation, f"{path}.operation")
        field = f"{path}.least_level"
        if operation is Operation.VIEW:
            if message.least_level:
                raise malformed(field, "must not be set for VIEW")
            return MustPermit(query, operation, AccessLevel.NONE)
        if query.context is not RuleContext.DATA:
            problem = f"must be VIEW in context {query.context.value}"
            raise malformed(f"{path}.operation", problem)
        least = known(_LEAST_LEVELS, message.least_level, field)
        return MustPermit(query, operation, least)


def parse_gate(message: resource_pb2.RoleGate, path: str) -> MustPass:
    """A role gate."""
    match message.WhichOneof("gate"):
        case "platform_admin":
            if not message.platform_admin:
                raise malformed(f"{path}.platform_admin", "must be true when it is set")
            return MustPass(PlatformAdminGate())
        case "any_of_org_roles":
            field = f"{path}.any_of_org_roles.roles"
            messages = message.any_of_org_roles.roles
            counted(messages, field, len(_ORG_ROLES))
            roles = [
                known(_ORG_ROLES, each, f"{field}[{index}]")
                for index, each in enumerate(messages)
            ]
            if len(set(roles)) != len(roles):
                raise malformed(field, "must name each role at most once")
            return MustPass(OrgRoleGate(frozenset(roles)))
        case None:
            raise malformed(path, "must say which role is required")


def parse_sql(message: filter_pb2.SqlOptions) -> SqlOptions:
    """How a filter is to be written as SQL."""
    style = known(_STYLES, message.placeholder_style, "sql.placeholder_style")
    if message.first_parameter > _LAST_FIRST_PARAMETER:
        raise malformed("sql.first_parameter", f"must be <= {_LAST_FIRST_PARAMETER}")
    columns = _columns(message.columns)
    return SqlOptions(columns, style, message.first_parameter or 1)


def _columns(messages: Iterable[filter_pb2.SqlColumn]) -> dict[Field, str]:
    columns: dict[Field, str] = {}
    for index, message in enumerate(messages):
        path = f"sql.columns[{index}]"
        field = known(_FIELDS, message.field, f"{path}.field")
        if field in columns:
            raise malformed(f"{path}.field", f"names `{field.value}` again")
        if not is_column(message.column):
            problem = "must be one to three plain names joined by `.`"
            raise malformed(f"{path}.column", problem)
        columns[field] = message.column
    return columns
