"""Who asks, and about what: values, and the messages that they become.

Long, because it is a list: one small value for each message of the API.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Final, Self, TypeAlias, assert_never

from authz.client.levels import AccessLevel, Operation, OrgRole, RuleContext
from authz.v1 import caller_pb2, filter_pb2, permission_pb2, resource_pb2


@dataclass(frozen=True, slots=True)
class _UserId:
    user_id: str


@dataclass(frozen=True, slots=True)
class _ApiKey:
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _AccessToken:
    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Subject:
    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a question is about; made by `user`, `subject`, `api_key`, `access_token`.

    `organization` is the raw value of `X-Organization-Id`; none and empty both mean
    that no organization is requested. Its repr shows no credential.
    """

    identity: _UserId | _Subject | _ApiKey | _AccessToken
    organization: str | None = None
    pinned_to: str | None = None

    @classmethod
    def user(
        cls,
        user_id: str,
        *,
        organization: str | None = None,
        pinned_to: str | None = None,
    ) -> Self:
        """A user by id; `pinned_to` is the principal of a key that you checked."""
        return cls(_UserId(user_id), organization, pinned_to)

    @classmethod
    def subject(
        cls,
        issuer: str,
        subject: str,
        *,
        organization: str | None = None,
        pinned_to: str | None = None,
    ) -> Self:
        """A user by their name at an identity provider."""
        return cls(_Subject(issuer, subject), organization, pinned_to)

    @classmethod
    def api_key(cls, api_key: str, *, organization: str | None = None) -> Self:
        """Whoever owns an API key, which the sidecar checks."""
        return cls(_ApiKey(api_key), organization)

    @classmethod
    def access_token(
        cls, access_token: str, *, organization: str | None = None
    ) -> Self:
        """Whoever a JWT names, which the sidecar checks."""
        return cls(_AccessToken(access_token), organization)

    @property
    def is_named(self) -> bool:
        """Whether the sidecar believes the name, instead of checking a credential."""
        return isinstance(self.identity, _UserId | _Subject)

    def message(self) -> caller_pb2.Caller:
        """The caller as it is sent."""
        message = caller_pb2.Caller(
            organization_id=self.organization, pinned_principal_id=self.pinned_to
        )
        match self.identity:
            case _UserId(user_id):
                message.user_id = user_id
            case _Subject(issuer, subject):
                message.subject.issuer = issuer
                message.subject.subject = subject
            case _ApiKey(api_key):
                message.api_key = api_key
            case _AccessToken(access_token):
                message.access_token = access_token
            case _:
                assert_never(self.identity)
        return message


@dataclass(frozen=True, slots=True)
class OwnedBy:
    """A principal owns the row."""

    principal_id: str


@dataclass(frozen=True, slots=True)
class Unowned:
    """Nobody owns the row."""


Owner: TypeAlias = OwnedBy | Unowned


@dataclass(frozen=True, slots=True)
class Attributes:
    """An existing row as you read it. `owner` is none only for kinds without one."""

    owner: Owner | None
    cluster: str | None = None

    def message(self) -> resource_pb2.ResourceAttributes:
        """The attributes as they are sent."""
        message = resource_pb2.ResourceAttributes(cluster_id=self.cluster)
        _set_owner(message, self.owner)
        return message


@dataclass(frozen=True, slots=True)
class Resource:
    """A row; without attributes the sidecar looks it up."""

    kind: str
    id: str
    attributes: Attributes | None = None

    def message(self) -> resource_pb2.Resource:
        """The resource as it is sent."""
        known = self.attributes
        return resource_pb2.Resource(
            kind=self.kind,
            id=self.id,
            attributes=None if known is None else known.message(),
        )


@dataclass(frozen=True, slots=True)
class NewResource:
    """A row that is to be created. `owner` is none only for kinds without one."""

    kind: str
    owner: Owner | None

    def message(self) -> resource_pb2.NewResource:
        """The resource as it is sent."""
        message = resource_pb2.NewResource(kind=self.kind)
        _set_owner(message, self.owner)
        return message


def _set_owner(
    message: resource_pb2.ResourceAttributes | resource_pb2.NewResource,
    owner: Owner | None,
) -> None:
    match owner:
        case OwnedBy(principal_id):
            message.owner_principal_id = principal_id
        case Unowned():
            setattr(message, "global", True)
        case None:
            return
        case _:
            assert_never(owner)


@dataclass(frozen=True, slots=True)
class PlatformAdmin:
    """The gate that only platform admins pass."""

    def message(self) -> resource_pb2.RoleGate:
        """The gate as it is sent."""
        return resource_pb2.RoleGate(platform_admin=True)


@dataclass(frozen=True, slots=True)
class AnyOrgRole:
    """The gate for some roles in the current organization."""

    roles: tuple[OrgRole, ...]

    @classmethod
    def of(cls, *roles: OrgRole) -> Self:
        """The gate for these roles."""
        return cls(roles)

    def message(self) -> resource_pb2.RoleGate:
        """The gate as it is sent."""
        roles = [caller_pb2.OrgRole.Value(f"ORG_ROLE_{each}") for each in self.roles]
        return resource_pb2.RoleGate(
            any_of_org_roles=resource_pb2.OrgRoles(roles=roles)
        )


RoleGate: TypeAlias = PlatformAdmin | AnyOrgRole


@dataclass(frozen=True, slots=True)
class PermissionQuery:
    """What the caller's roles allow on an item; without one only generic rules."""

    context: RuleContext
    item: str | None = None
    feature_instance_id: str | None = None

    def message(self) -> permission_pb2.PermissionQuery:
        """The query as it is sent."""
        return permission_pb2.PermissionQuery(
            context=permission_pb2.RuleContext.Value(f"RULE_CONTEXT_{self.context}"),
            item=self.item,
            feature_instance_id=self.feature_instance_id,
        )


@dataclass(frozen=True, slots=True)
class Visible:
    """The requirement that a resource is visible."""

    resource: Resource

    def message(self) -> resource_pb2.Requirement:
        """The requirement as it is sent."""
        return resource_pb2.Requirement(visible=self.resource.message())


@dataclass(frozen=True, slots=True)
class Writable:
    """The requirement that a resource is writable."""

    resource: Resource
    skip_visible: bool = False

    def message(self) -> resource_pb2.Requirement:
        """The requirement as it is sent."""
        return resource_pb2.Requirement(
            writable=resource_pb2.WritableRequirement(
                resource=self.resource.message(), skip_visible=self.skip_visible
            )
        )


@dataclass(frozen=True, slots=True)
class Creatable:
    """The requirement that a resource may be created."""

    resource: NewResource

    def message(self) -> resource_pb2.Requirement:
        """The requirement as it is sent."""
        return resource_pb2.Requirement(creatable=self.resource.message())


@dataclass(frozen=True, slots=True)
class InRole:
    """The requirement that the caller passes a gate."""

    gate: RoleGate

    def message(self) -> resource_pb2.Requirement:
        """The requirement as it is sent."""
        return resource_pb2.Requirement(role=self.gate.message())


@dataclass(frozen=True, slots=True)
class Permitted:
    """The requirement that roles allow an operation; VIEW takes no least level."""

    query: PermissionQuery
    operation: Operation
    least: AccessLevel | None = None

    def message(self) -> resource_pb2.Requirement:
        """The requirement as it is sent."""
        return resource_pb2.Requirement(
            permission=resource_pb2.PermissionRequirement(
                query=self.query.message(),
                operation=permission_pb2.Operation.Value(f"OPERATION_{self.operation}"),
                least_level=level_message(self.least),
            )
        )


Requirement: TypeAlias = Visible | Writable | Creatable | InRole | Permitted


def level_message(level: AccessLevel | None) -> permission_pb2.AccessLevel.ValueType:
    """A level as it is sent; none is sent as unspecified."""
    name = "UNSPECIFIED" if level is None else level.value
    return permission_pb2.AccessLevel.Value(f"ACCESS_LEVEL_{name}")


@unique
class Field(StrEnum):
    """A column of your rows that a list filter may need."""

    OWNER_PRINCIPAL_ID = "OWNER_PRINCIPAL_ID"
    CLUSTER_ID = "CLUSTER_ID"
    ID = "ID"
    CREATED_BY = "CREATED_BY"
    ORGANIZATION_ID = "ORGANIZATION_ID"


@unique
class Placeholders(StrEnum):
    """How SQL parameters are written: `$1`, `%s`, `?` or `:p1`."""

    DOLLAR = "DOLLAR"
    FORMAT = "FORMAT"
    QUESTION = "QUESTION"
    NAMED = "NAMED"


_STYLES: Final = filter_pb2.PlaceholderStyle


@dataclass(frozen=True, slots=True)
class SqlOptions:
    """How a filter's SQL is to look; `first_parameter` counts from 1."""

    columns: Mapping[Field, str]
    placeholders: Placeholders
    first_parameter: int = 1

    def message(self) -> filter_pb2.SqlOptions:
        """The options as they are sent."""
        columns = [
            filter_pb2.SqlColumn(field=field_message(each), column=column)
            for each, column in self.columns.items()
        ]
        return filter_pb2.SqlOptions(
            columns=columns,
            placeholder_style=_STYLES.Value(f"PLACEHOLDER_STYLE_{self.placeholders}"),
            first_parameter=self.first_parameter,
        )


def field_message(each: Field) -> filter_pb2.FilterField.ValueType:
    """A field as it is sent."""
    return filter_pb2.FilterField.Value(f"FILTER_FIELD_{each}")


@dataclass(frozen=True, slots=True)
class AccessRule:
    """A rule to be validated; a level that is none is not sent."""

    role_id: str
    context: RuleContext
    item: str | None = None
    view: bool = False
    read: AccessLevel | None = None
    create: AccessLevel | None = None
    update: AccessLevel | None = None
    delete: AccessLevel | None = None

    def message(self) -> permission_pb2.AccessRule:
        """The rule as it is sent."""
        return permission_pb2.AccessRule(
            role_id=self.role_id,
            context=permission_pb2.RuleContext.Value(f"RULE_CONTEXT_{self.context}"),
            item=self.item,
            view=self.view,
            read=level_message(self.read),
            create=level_message(self.create),
            update=level_message(self.update),
            delete=level_message(self.delete),
        )
