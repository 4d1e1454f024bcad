"""Requests to questions: resources, requirements, filters and rules.

Long, because it is a list: one short function for each message.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeAlias, TypeVar

from authz.v1 import caller_pb2, filter_pb2, permission_pb2, resource_pb2

from sidecar.core.authorize import (
    MustBeCreatable,
    MustBeVisible,
    MustBeWritable,
    MustPass,
    MustPermit,
    NamedResource,
    Requirement,
    WholeRows,
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
from sidecar.transport.status import MalformedFieldError, malformed

M = TypeVar("M")
Parsed = TypeVar("Parsed")

# A named tuple's own constructor takes twice the time.
_new = tuple.__new__

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


# Resources that are judged differently, and for each of a request which one it is;
# none when it is each its own.
Alike: TypeAlias = tuple[list[NamedResource] | WholeRows, list[int] | None]


class ResourceParser:
    """Parses resources by the kinds that are declared."""

    def __init__(self, kinds: Mapping[str, ResourceKind], limits: Limits) -> None:
        self._kinds = kinds
        self._limits = limits
        self._surely_id = limits.surely_id
        # Whether rows carry a cluster beside the owner that they all have.
        self._whole_kinds = {
            name: kind.carries_cluster
            for name, kind in kinds.items()
            if kind.carries_owner and kind.is_judged_by_columns
        }

    def resources(
        self, messages: Sequence[resource_pb2.Resource]
    ) -> list[NamedResource]:
        """The resources of a check."""
        counted(messages, "resources", self._limits.elements)
        return _each(messages, self._resource, "resources")

    def alike(self, messages: Sequence[resource_pb2.Resource]) -> Alike:
        """The resources of a check, and those that are judged alike once.

        They may differ in their ids, so this is not for what is to be explained.
        """
        counted(messages, "resources", self._limits.elements)
        return self._whole(messages) or (
            _each(messages, self._resource, "resources"),
            None,
        )

    def _whole(self, messages: Sequence[resource_pb2.Resource]) -> Alike | None:
        """The resources if each surely is as it must be, and has all that it carries.

        Nearly all are, and then this takes a third of the time: no calls, and no
        path for errors. Rows of a list are mostly alike, too.
        """
        whole, surely = self._whole_kinds, self._surely_id
        seen: dict[tuple[str, str, str | None], int] = {}
        ids: list[str] = []
        places: list[int] = []
        # To go through the messages takes longer than to fetch the only one.
        is_only = len(messages) == 1
        for message in (messages[0],) if is_only else messages:
            kind, resource_id = message.kind, message.id
            attributes, carries_cluster = message.attributes, whole.get(kind)
            owner, cluster = attributes.owner_principal_id, attributes.cluster_id
            if (
                carries_cluster is None
                or not 0 < len(resource_id) <= surely
                or not 0 < len(owner) <= surely
            ):
                return None
            if carries_cluster:
                if not 0 < len(cluster) <= surely:
                    return None
            elif attributes.HasField("cluster_id"):
                return None
            columns = kind, owner, cluster if carries_cluster else None
            if is_only:
                return _new(WholeRows, ([columns], [resource_id])), None
            place = seen.get(columns)
            if place is None:
                place = seen[columns] = len(ids)
                ids.append(resource_id)
            places.append(place)
        rows = _new(WholeRows, ([*seen], ids))
        return rows, None if len(ids) == len(places) else places

    def new_resources(
        self, messages: Sequence[resource_pb2.NewResource]
    ) -> list[MustBeCreatable]:
        """The resources of a creation check."""
        counted(messages, "resources", self._limits.elements)
        return _each(messages, self._new_resource, "resources")

    def requirements(
        self, messages: Sequence[resource_pb2.Requirement], caller: Caller
    ) -> list[Requirement]:
        """The requirements of Authorize."""
        counted(messages, "requirements", self._limits.requirements)
        return [
            self._requirement(message, f"requirements[{index}]", caller)
            for index, message in enumerate(messages)
        ]

    # Below, paths start at the message: what contains it adds its own when it must
    # refuse, so that a thousand good elements cost no paths.

    def _resource(self, message: resource_pb2.Resource) -> NamedResource:
        kind, resource_id = message.kind, message.id
        surely = self._surely_id
        if not (0 < len(kind) <= surely and 0 < len(resource_id) <= surely):
            required(kind, "kind", self._limits.id_bytes)
            required(resource_id, "id", self._limits.id_bytes)
        if not message.HasField("attributes"):
            return NamedResource(kind, ResourceId(resource_id))
        record = self._record(message.attributes, self._kinds.get(kind))
        return NamedResource(kind, ResourceId(resource_id), record)

    def _record(
        self, message: resource_pb2.ResourceAttributes, kind: ResourceKind | None
    ) -> ResourceRecord:
        # Nearly every row has what its kind carries and ends here, at half the cost.
        if kind is not None and kind.carries_owner and kind.carries_cluster:
            owner, cluster = message.owner_principal_id, message.cluster_id
            surely = self._surely_id
            if 0 < len(owner) <= surely and 0 < len(cluster) <= surely:
                return ResourceRecord(PrincipalId(owner), ClusterId(cluster))
        return self._any_record(message, kind)

    def _any_record(
        self, message: resource_pb2.ResourceAttributes, kind: ResourceKind | None
    ) -> ResourceRecord:
        owner = self._owner(message, kind, "attributes.")
        if not message.HasField("cluster_id"):
            return ResourceRecord(owner, None)
        field, cluster = "attributes.cluster_id", message.cluster_id
        if not 0 < len(cluster) <= self._surely_id:
            required(cluster, field, self._limits.id_bytes)
        if kind is not None and not kind.carries_cluster:
            raise malformed(field, f"is not carried by kind `{kind.name}`")
        return ResourceRecord(owner, ClusterId(cluster))

    def _new_resource(self, message: resource_pb2.NewResource) -> MustBeCreatable:
        kind = required(message.kind, "kind", self._limits.id_bytes)
        return MustBeCreatable(kind, self._owner(message, self._kinds.get(kind), ""))

    def _owner(
        self,
        message: resource_pb2.ResourceAttributes | resource_pb2.NewResource,
        kind: ResourceKind | None,
        path: str,
    ) -> PrincipalId | None:
        owner = message.owner_principal_id
        carries_owner = kind is None or kind.carries_owner
        if carries_owner and 0 < len(owner) <= self._surely_id:
            return PrincipalId(owner)
        match message.WhichOneof("owner"):
            case "owner_principal_id":
                field = f"{path}owner_principal_id"
                required(owner, field, self._limits.id_bytes)
                if kind is not None and not kind.carries_owner:
                    raise malformed(field, f"is not carried by kind `{kind.name}`")
                return PrincipalId(owner)
            case "global":
                if not getattr(message, "global"):
                    raise malformed(f"{path}global", "must be true when it is set")
                return None
            case None:
                # An owner forgotten must not read as a global row.
                if kind is not None and kind.carries_owner:
                    problem = "must say who owns the row, or that it is global"
                    raise malformed(f"{path}owner_principal_id", problem)
                return None

    def _requirement(
        self, message: resource_pb2.Requirement, path: str, caller: Caller
    ) -> Requirement:
        match message.WhichOneof("requirement"):
            case "visible":
                with _under(f"{path}.visible"):
                    return MustBeVisible(self._resource(message.visible))
            case "writable":
                where = f"{path}.writable.resource"
                if not message.writable.HasField("resource"):
                    raise malformed(where, "must be set")
                with _under(where):
                    resource = self._resource(message.writable.resource)
                return MustBeWritable(resource, message.writable.skip_visible)
            case "creatable":
                with _under(f"{path}.creatable"):
                    return self._new_resource(message.creatable)
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
        query = parse_query(message.query, f"{path}.query", caller, self._limits)
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


def _each(
    messages: Sequence[M], parse: Callable[[M], Parsed], field: str
) -> list[Parsed]:
    parsed: list[Parsed] = []
    try:
        parsed.extend(map(parse, messages))
    except MalformedFieldError as error:
        # Those before it are there already, so their number is its index.
        raise error.under(f"{field}[{len(parsed)}]") from None
    return parsed


@contextmanager
def _under(path: str) -> Iterator[None]:
    try:
        yield
    except MalformedFieldError as error:
        raise error.under(path) from None


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
