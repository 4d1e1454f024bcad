from authz.v1 import caller_pb2 as _caller_pb2
from authz.v1 import permission_pb2 as _permission_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Resource(_message.Message):
    __slots__ = ("kind", "id", "attributes")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    kind: str
    id: str
    attributes: ResourceAttributes
    def __init__(self, kind: _Optional[str] = ..., id: _Optional[str] = ..., attributes: _Optional[_Union[ResourceAttributes, _Mapping]] = ...) -> None: ...

class ResourceAttributes(_message.Message):
    __slots__ = ("owner_principal_id", "cluster_id")
    OWNER_PRINCIPAL_ID_FIELD_NUMBER: _ClassVar[int]
    GLOBAL_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_ID_FIELD_NUMBER: _ClassVar[int]
    owner_principal_id: str
    cluster_id: str
    def __init__(self, owner_principal_id: _Optional[str] = ..., cluster_id: _Optional[str] = ..., **kwargs) -> None: ...

class NewResource(_message.Message):
    __slots__ = ("kind", "owner_principal_id")
    KIND_FIELD_NUMBER: _ClassVar[int]
    OWNER_PRINCIPAL_ID_FIELD_NUMBER: _ClassVar[int]
    GLOBAL_FIELD_NUMBER: _ClassVar[int]
    kind: str
    owner_principal_id: str
    def __init__(self, kind: _Optional[str] = ..., owner_principal_id: _Optional[str] = ..., **kwargs) -> None: ...

class OrgRoles(_message.Message):
    __slots__ = ("roles",)
    ROLES_FIELD_NUMBER: _ClassVar[int]
    roles: _containers.RepeatedScalarFieldContainer[_caller_pb2.OrgRole]
    def __init__(self, roles: _Optional[_Iterable[_Union[_caller_pb2.OrgRole, str]]] = ...) -> None: ...

class RoleGate(_message.Message):
    __slots__ = ("platform_admin", "any_of_org_roles")
    PLATFORM_ADMIN_FIELD_NUMBER: _ClassVar[int]
    ANY_OF_ORG_ROLES_FIELD_NUMBER: _ClassVar[int]
    platform_admin: bool
    any_of_org_roles: OrgRoles
    def __init__(self, platform_admin: _Optional[bool] = ..., any_of_org_roles: _Optional[_Union[OrgRoles, _Mapping]] = ...) -> None: ...

class Requirement(_message.Message):
    __slots__ = ("visible", "writable", "creatable", "role", "permission")
    VISIBLE_FIELD_NUMBER: _ClassVar[int]
    WRITABLE_FIELD_NUMBER: _ClassVar[int]
    CREATABLE_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    PERMISSION_FIELD_NUMBER: _ClassVar[int]
    visible: Resource
    writable: WritableRequirement
    creatable: NewResource
    role: RoleGate
    permission: PermissionRequirement
    def __init__(self, visible: _Optional[_Union[Resource, _Mapping]] = ..., writable: _Optional[_Union[WritableRequirement, _Mapping]] = ..., creatable: _Optional[_Union[NewResource, _Mapping]] = ..., role: _Optional[_Union[RoleGate, _Mapping]] = ..., permission: _Optional[_Union[PermissionRequirement, _Mapping]] = ...) -> None: ...

class WritableRequirement(_message.Message):
    __slots__ = ("resource", "skip_visible")
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    SKIP_VISIBLE_FIELD_NUMBER: _ClassVar[int]
    resource: Resource
    skip_visible: bool
    def __init__(self, resource: _Optional[_Union[Resource, _Mapping]] = ..., skip_visible: _Optional[bool] = ...) -> None: ...

class PermissionRequirement(_message.Message):
    __slots__ = ("query", "operation", "least_level")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    LEAST_LEVEL_FIELD_NUMBER: _ClassVar[int]
    query: _permission_pb2.PermissionQuery
    operation: _permission_pb2.Operation
    least_level: _permission_pb2.AccessLevel
    def __init__(self, query: _Optional[_Union[_permission_pb2.PermissionQuery, _Mapping]] = ..., operation: _Optional[_Union[_permission_pb2.Operation, str]] = ..., least_level: _Optional[_Union[_permission_pb2.AccessLevel, str]] = ...) -> None: ...
