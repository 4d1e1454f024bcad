import datetime

from authz.v1 import caller_pb2 as _caller_pb2
from authz.v1 import decision_pb2 as _decision_pb2
from authz.v1 import filter_pb2 as _filter_pb2
from authz.v1 import permission_pb2 as _permission_pb2
from authz.v1 import resource_pb2 as _resource_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OptionalFeature(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPTIONAL_FEATURE_UNSPECIFIED: _ClassVar[OptionalFeature]
    OPTIONAL_FEATURE_EXPLAIN: _ClassVar[OptionalFeature]
    OPTIONAL_FEATURE_WATCH: _ClassVar[OptionalFeature]
    OPTIONAL_FEATURE_NAMED_CALLERS: _ClassVar[OptionalFeature]
    OPTIONAL_FEATURE_API_KEYS: _ClassVar[OptionalFeature]
    OPTIONAL_FEATURE_ACCESS_TOKENS: _ClassVar[OptionalFeature]
    OPTIONAL_FEATURE_REFLECTION: _ClassVar[OptionalFeature]
OPTIONAL_FEATURE_UNSPECIFIED: OptionalFeature
OPTIONAL_FEATURE_EXPLAIN: OptionalFeature
OPTIONAL_FEATURE_WATCH: OptionalFeature
OPTIONAL_FEATURE_NAMED_CALLERS: OptionalFeature
OPTIONAL_FEATURE_API_KEYS: OptionalFeature
OPTIONAL_FEATURE_ACCESS_TOKENS: OptionalFeature
OPTIONAL_FEATURE_REFLECTION: OptionalFeature

class ResolveContextRequest(_message.Message):
    __slots__ = ("caller", "consistency")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    caller: _caller_pb2.Caller
    consistency: _caller_pb2.Consistency
    def __init__(self, caller: _Optional[_Union[_caller_pb2.Caller, _Mapping]] = ..., consistency: _Optional[_Union[_caller_pb2.Consistency, _Mapping]] = ...) -> None: ...

class ResolveContextResponse(_message.Message):
    __slots__ = ("context", "revision")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    context: _caller_pb2.TenantContext
    revision: str
    def __init__(self, context: _Optional[_Union[_caller_pb2.TenantContext, _Mapping]] = ..., revision: _Optional[str] = ...) -> None: ...

class ListContextsRequest(_message.Message):
    __slots__ = ("caller", "consistency")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    caller: _caller_pb2.Caller
    consistency: _caller_pb2.Consistency
    def __init__(self, caller: _Optional[_Union[_caller_pb2.Caller, _Mapping]] = ..., consistency: _Optional[_Union[_caller_pb2.Consistency, _Mapping]] = ...) -> None: ...

class ListContextsResponse(_message.Message):
    __slots__ = ("contexts", "revision")
    CONTEXTS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    contexts: _containers.RepeatedCompositeFieldContainer[_caller_pb2.AvailableContext]
    revision: str
    def __init__(self, contexts: _Optional[_Iterable[_Union[_caller_pb2.AvailableContext, _Mapping]]] = ..., revision: _Optional[str] = ...) -> None: ...

class CheckVisibleRequest(_message.Message):
    __slots__ = ("caller", "resources", "consistency", "explain")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    caller: _caller_pb2.Caller
    resources: _containers.RepeatedCompositeFieldContainer[_resource_pb2.Resource]
    consistency: _caller_pb2.Consistency
    explain: bool
    def __init__(self, caller: _Optional[_Union[_caller_pb2.Caller, _Mapping]] = ..., resources: _Optional[_Iterable[_Union[_resource_pb2.Resource, _Mapping]]] = ..., consistency: _Optional[_Union[_caller_pb2.Consistency, _Mapping]] = ..., explain: _Optional[bool] = ...) -> None: ...

class CheckVisibleResponse(_message.Message):
    __slots__ = ("decisions", "decision_id", "revision")
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    decisions: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Decision]
    decision_id: str
    revision: str
    def __init__(self, decisions: _Optional[_Iterable[_Union[_decision_pb2.Decision, _Mapping]]] = ..., decision_id: _Optional[str] = ..., revision: _Optional[str] = ...) -> None: ...

class CheckWritableRequest(_message.Message):
    __slots__ = ("caller", "resources", "skip_visible", "consistency", "explain")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    SKIP_VISIBLE_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    caller: _caller_pb2.Caller
    resources: _containers.RepeatedCompositeFieldContainer[_resource_pb2.Resource]
    skip_visible: bool
    consistency: _caller_pb2.Consistency
    explain: bool
    def __init__(self, caller: _Optional[_Union[_caller_pb2.Caller, _Mapping]] = ..., resources: _Optional[_Iterable[_Union[_resource_pb2.Resource, _Mapping]]] = ..., skip_visible: _Optional[bool] = ..., consistency: _Optional[_Union[_caller_pb2.Consistency, _Mapping]] = ..., explain: _Optional[bool] = ...) -> None: ...

class CheckWritableResponse(_message.Message):
    __slots__ = ("decisions", "decision_id", "revision")
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    decisions: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Decision]
    decision_id: str
    revision: str
    def __init__(self, decisions: _Optional[_Iterable[_Union[_decision_pb2.Decision, _Mapping]]] = ..., decision_id: _Optional[str] = ..., revision: _Optional[str] = ...) -> None: ...

class CheckCreatableRequest(_message.Message):
    __slots__ = ("caller", "resources", "consistency", "explain")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    RESOURCES_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    caller: _caller_pb2.Caller
    resources: _containers.RepeatedCompositeFieldContainer[_resource_pb2.NewResource]
    consistency: _caller_pb2.Consistency
    explain: bool
    def __init__(self, caller: _Optional[_Union[_caller_pb2.Caller, _Mapping]] = ..., resources: _Optional[_Iterable[_Union[_resource_pb2.NewResource, _Mapping]]] = ..., consistency: _Optional[_Union[_caller_pb2.Consistency, _Mapping]] = ..., explain: _Optional[bool] = ...) -> None: ...

class CheckCreatableResponse(_message.Message):
    __slots__ = ("decisions", "decision_id", "revision")
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    decisions: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Decision]
    decision_id: str
    revision: str
    def __init__(self, decisions: _Optional[_Iterable[_Union[_decision_pb2.Decision, _Mapping]]] = ..., decision_id: _Optional[str] = ..., revision: _Optional[str] = ...) -> None: ...

class CheckRoleRequest(_message.Message):
    __slots__ = ("caller", "gate", "consistency", "explain")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    GATE_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    caller: _caller_pb2.Caller
    gate: _resource_pb2.RoleGate
    consistency: _caller_pb2.Consistency
    explain: bool
    def __init__(self, caller: _Optional[_Union[_caller_pb2.Caller, _Mapping]] = ..., gate: _Optional[_Union[_resource_pb2.RoleGate, _Mapping]] = ..., consistency: _Optional[_Union[_caller_pb2.Consistency, _Mapping]] = ..., explain: _Optional[bool] = ...) -> None: ...

class CheckRoleResponse(_message.Message):
    __slots__ = ("decision", "decision_id", "revision")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.Decision
    decision_id: str
    revision: str
    def __init__(self, decision: _Optional[_Union[_decision_pb2.Decision, _Mapping]] = ..., decision_id: _Optional[str] = ..., revision: _Optional[str] = ...) -> None: ...

class GetPermissionsRequest(_message.Message):
    __slots__ = ("caller", "queries", "consistency", "explain")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    caller: _caller_pb2.Caller
    queries: _containers.RepeatedCompositeFieldContainer[_permission_pb2.PermissionQuery]
    consistency: _caller_pb2.Consistency
    explain: bool
    def __init__(self, caller: _Optional[_Union[_caller_pb2.Caller, _Mapping]] = ..., queries: _Optional[_Iterable[_Union[_permission_pb2.PermissionQuery, _Mapping]]] = ..., consistency: _Optional[_Union[_caller_pb2.Consistency, _Mapping]] = ..., explain: _Optional[bool] = ...) -> None: ...

class GetPermissionsResponse(_message.Message):
    __slots__ = ("permissions", "decision_id", "revision")
    PERMISSIONS_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    permissions: _containers.RepeatedCompositeFieldContainer[_permission_pb2.Permissions]
    decision_id: str
    revision: str
    def __init__(self, permissions: _Optional[_Iterable[_Union[_permission_pb2.Permissions, _Mapping]]] = ..., decision_id: _Optional[str] = ..., revision: _Optional[str] = ...) -> None: ...

class AuthorizeRequest(_message.Message):
    __slots__ = ("caller", "requirements", "consistency", "explain")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    REQUIREMENTS_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    caller: _caller_pb2.Caller
    requirements: _containers.RepeatedCompositeFieldContainer[_resource_pb2.Requirement]
    consistency: _caller_pb2.Consistency
    explain: bool
    def __init__(self, caller: _Optional[_Union[_caller_pb2.Caller, _Mapping]] = ..., requirements: _Optional[_Iterable[_Union[_resource_pb2.Requirement, _Mapping]]] = ..., consistency: _Optional[_Union[_caller_pb2.Consistency, _Mapping]] = ..., explain: _Optional[bool] = ...) -> None: ...

class AuthorizeResponse(_message.Message):
    __slots__ = ("decision", "decisions", "context", "decision_id", "revision")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    decision: _decision_pb2.Decision
    decisions: _containers.RepeatedCompositeFieldContainer[_decision_pb2.Decision]
    context: _caller_pb2.TenantContext
    decision_id: str
    revision: str
    def __init__(self, decision: _Optional[_Union[_decision_pb2.Decision, _Mapping]] = ..., decisions: _Optional[_Iterable[_Union[_decision_pb2.Decision, _Mapping]]] = ..., context: _Optional[_Union[_caller_pb2.TenantContext, _Mapping]] = ..., decision_id: _Optional[str] = ..., revision: _Optional[str] = ...) -> None: ...

class GetListFilterRequest(_message.Message):
    __slots__ = ("caller", "kind", "permission", "sql", "consistency")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PERMISSION_FIELD_NUMBER: _ClassVar[int]
    SQL_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    caller: _caller_pb2.Caller
    kind: str
    permission: _permission_pb2.PermissionQuery
    sql: _filter_pb2.SqlOptions
    consistency: _caller_pb2.Consistency
    def __init__(self, caller: _Optional[_Union[_caller_pb2.Caller, _Mapping]] = ..., kind: _Optional[str] = ..., permission: _Optional[_Union[_permission_pb2.PermissionQuery, _Mapping]] = ..., sql: _Optional[_Union[_filter_pb2.SqlOptions, _Mapping]] = ..., consistency: _Optional[_Union[_caller_pb2.Consistency, _Mapping]] = ...) -> None: ...

class GetListFilterResponse(_message.Message):
    __slots__ = ("filter", "sql", "revision")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    SQL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    filter: _filter_pb2.ListFilter
    sql: _filter_pb2.SqlFilter
    revision: str
    def __init__(self, filter: _Optional[_Union[_filter_pb2.ListFilter, _Mapping]] = ..., sql: _Optional[_Union[_filter_pb2.SqlFilter, _Mapping]] = ..., revision: _Optional[str] = ...) -> None: ...

class ValidateAccessRulesRequest(_message.Message):
    __slots__ = ("rules",)
    RULES_FIELD_NUMBER: _ClassVar[int]
    rules: _containers.RepeatedCompositeFieldContainer[_permission_pb2.AccessRule]
    def __init__(self, rules: _Optional[_Iterable[_Union[_permission_pb2.AccessRule, _Mapping]]] = ...) -> None: ...

class ValidateAccessRulesResponse(_message.Message):
    __slots__ = ("problems",)
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    problems: _containers.RepeatedCompositeFieldContainer[_permission_pb2.AccessRuleProblem]
    def __init__(self, problems: _Optional[_Iterable[_Union[_permission_pb2.AccessRuleProblem, _Mapping]]] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("after_revision",)
    AFTER_REVISION_FIELD_NUMBER: _ClassVar[int]
    after_revision: str
    def __init__(self, after_revision: _Optional[str] = ...) -> None: ...

class WatchResponse(_message.Message):
    __slots__ = ("changes", "drop_everything", "beat")
    class Changes(_message.Message):
        __slots__ = ("changes",)
        CHANGES_FIELD_NUMBER: _ClassVar[int]
        changes: _containers.RepeatedCompositeFieldContainer[Change]
        def __init__(self, changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ...) -> None: ...
    class DropEverything(_message.Message):
        __slots__ = ("revision",)
        REVISION_FIELD_NUMBER: _ClassVar[int]
        revision: str
        def __init__(self, revision: _Optional[str] = ...) -> None: ...
    class Beat(_message.Message):
        __slots__ = ("revision", "staleness")
        REVISION_FIELD_NUMBER: _ClassVar[int]
        STALENESS_FIELD_NUMBER: _ClassVar[int]
        revision: str
        staleness: _duration_pb2.Duration
        def __init__(self, revision: _Optional[str] = ..., staleness: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    DROP_EVERYTHING_FIELD_NUMBER: _ClassVar[int]
    BEAT_FIELD_NUMBER: _ClassVar[int]
    changes: WatchResponse.Changes
    drop_everything: WatchResponse.DropEverything
    beat: WatchResponse.Beat
    def __init__(self, changes: _Optional[_Union[WatchResponse.Changes, _Mapping]] = ..., drop_everything: _Optional[_Union[WatchResponse.DropEverything, _Mapping]] = ..., beat: _Optional[_Union[WatchResponse.Beat, _Mapping]] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("group", "key", "revision")
    GROUP_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    group: str
    key: str
    revision: str
    def __init__(self, group: _Optional[str] = ..., key: _Optional[str] = ..., revision: _Optional[str] = ...) -> None: ...

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("version", "engine", "configuration_digest", "schema_version", "features")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    CONFIGURATION_DIGEST_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    version: str
    engine: str
    configuration_digest: str
    schema_version: int
    features: _containers.RepeatedScalarFieldContainer[OptionalFeature]
    def __init__(self, version: _Optional[str] = ..., engine: _Optional[str] = ..., configuration_digest: _Optional[str] = ..., schema_version: _Optional[int] = ..., features: _Optional[_Iterable[_Union[OptionalFeature, str]]] = ...) -> None: ...
