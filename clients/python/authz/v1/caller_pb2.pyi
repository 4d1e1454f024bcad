from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OrgRole(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ORG_ROLE_UNSPECIFIED: _ClassVar[OrgRole]
    ORG_ROLE_ADMIN: _ClassVar[OrgRole]
    ORG_ROLE_USER: _ClassVar[OrgRole]

class ContextKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONTEXT_KIND_UNSPECIFIED: _ClassVar[ContextKind]
    CONTEXT_KIND_PERSONAL: _ClassVar[ContextKind]
    CONTEXT_KIND_ORGANIZATION: _ClassVar[ContextKind]
    CONTEXT_KIND_ALL: _ClassVar[ContextKind]
    CONTEXT_KIND_PINNED: _ClassVar[ContextKind]
ORG_ROLE_UNSPECIFIED: OrgRole
ORG_ROLE_ADMIN: OrgRole
ORG_ROLE_USER: OrgRole
CONTEXT_KIND_UNSPECIFIED: ContextKind
CONTEXT_KIND_PERSONAL: ContextKind
CONTEXT_KIND_ORGANIZATION: ContextKind
CONTEXT_KIND_ALL: ContextKind
CONTEXT_KIND_PINNED: ContextKind

class Caller(_message.Message):
    __slots__ = ("user_id", "api_key", "access_token", "subject", "pinned_principal_id", "organization_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    API_KEY_FIELD_NUMBER: _ClassVar[int]
    ACCESS_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    PINNED_PRINCIPAL_ID_FIELD_NUMBER: _ClassVar[int]
    ORGANIZATION_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    api_key: str
    access_token: str
    subject: Subject
    pinned_principal_id: str
    organization_id: str
    def __init__(self, user_id: _Optional[str] = ..., api_key: _Optional[str] = ..., access_token: _Optional[str] = ..., subject: _Optional[_Union[Subject, _Mapping]] = ..., pinned_principal_id: _Optional[str] = ..., organization_id: _Optional[str] = ...) -> None: ...

class Subject(_message.Message):
    __slots__ = ("issuer", "subject")
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    issuer: str
    subject: str
    def __init__(self, issuer: _Optional[str] = ..., subject: _Optional[str] = ...) -> None: ...

class Consistency(_message.Message):
    __slots__ = ("minimize_latency", "at_least_as_fresh", "fully_consistent")
    MINIMIZE_LATENCY_FIELD_NUMBER: _ClassVar[int]
    AT_LEAST_AS_FRESH_FIELD_NUMBER: _ClassVar[int]
    FULLY_CONSISTENT_FIELD_NUMBER: _ClassVar[int]
    minimize_latency: bool
    at_least_as_fresh: str
    fully_consistent: bool
    def __init__(self, minimize_latency: _Optional[bool] = ..., at_least_as_fresh: _Optional[str] = ..., fully_consistent: _Optional[bool] = ...) -> None: ...

class TenantContext(_message.Message):
    __slots__ = ("user_id", "is_platform_admin", "is_system", "current_principal_id", "org_role", "accessible_cluster_ids", "current_is_personal_scope", "bypass", "has_org_context", "write_principal_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    IS_PLATFORM_ADMIN_FIELD_NUMBER: _ClassVar[int]
    IS_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    CURRENT_PRINCIPAL_ID_FIELD_NUMBER: _ClassVar[int]
    ORG_ROLE_FIELD_NUMBER: _ClassVar[int]
    ACCESSIBLE_CLUSTER_IDS_FIELD_NUMBER: _ClassVar[int]
    CURRENT_IS_PERSONAL_SCOPE_FIELD_NUMBER: _ClassVar[int]
    BYPASS_FIELD_NUMBER: _ClassVar[int]
    HAS_ORG_CONTEXT_FIELD_NUMBER: _ClassVar[int]
    WRITE_PRINCIPAL_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    is_platform_admin: bool
    is_system: bool
    current_principal_id: str
    org_role: OrgRole
    accessible_cluster_ids: _containers.RepeatedScalarFieldContainer[str]
    current_is_personal_scope: bool
    bypass: bool
    has_org_context: bool
    write_principal_id: str
    def __init__(self, user_id: _Optional[str] = ..., is_platform_admin: _Optional[bool] = ..., is_system: _Optional[bool] = ..., current_principal_id: _Optional[str] = ..., org_role: _Optional[_Union[OrgRole, str]] = ..., accessible_cluster_ids: _Optional[_Iterable[str]] = ..., current_is_personal_scope: _Optional[bool] = ..., bypass: _Optional[bool] = ..., has_org_context: _Optional[bool] = ..., write_principal_id: _Optional[str] = ...) -> None: ...

class AvailableContext(_message.Message):
    __slots__ = ("kind", "principal_id", "org_role", "name")
    KIND_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_ID_FIELD_NUMBER: _ClassVar[int]
    ORG_ROLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    kind: ContextKind
    principal_id: str
    org_role: OrgRole
    name: str
    def __init__(self, kind: _Optional[_Union[ContextKind, str]] = ..., principal_id: _Optional[str] = ..., org_role: _Optional[_Union[OrgRole, str]] = ..., name: _Optional[str] = ...) -> None: ...
