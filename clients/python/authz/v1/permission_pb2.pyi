from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RuleContext(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RULE_CONTEXT_UNSPECIFIED: _ClassVar[RuleContext]
    RULE_CONTEXT_DATA: _ClassVar[RuleContext]
    RULE_CONTEXT_UI: _ClassVar[RuleContext]
    RULE_CONTEXT_RESOURCE: _ClassVar[RuleContext]

class AccessLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCESS_LEVEL_UNSPECIFIED: _ClassVar[AccessLevel]
    ACCESS_LEVEL_NONE: _ClassVar[AccessLevel]
    ACCESS_LEVEL_MY: _ClassVar[AccessLevel]
    ACCESS_LEVEL_GROUP: _ClassVar[AccessLevel]
    ACCESS_LEVEL_ALL: _ClassVar[AccessLevel]

class Operation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPERATION_UNSPECIFIED: _ClassVar[Operation]
    OPERATION_VIEW: _ClassVar[Operation]
    OPERATION_READ: _ClassVar[Operation]
    OPERATION_CREATE: _ClassVar[Operation]
    OPERATION_UPDATE: _ClassVar[Operation]
    OPERATION_DELETE: _ClassVar[Operation]

class PermissionBasis(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERMISSION_BASIS_UNSPECIFIED: _ClassVar[PermissionBasis]
    PERMISSION_BASIS_ALL_MODE: _ClassVar[PermissionBasis]
    PERMISSION_BASIS_ROLES: _ClassVar[PermissionBasis]
    PERMISSION_BASIS_NO_CONTEXT: _ClassVar[PermissionBasis]
    PERMISSION_BASIS_NO_ORGANIZATION: _ClassVar[PermissionBasis]
    PERMISSION_BASIS_NOT_A_MEMBER: _ClassVar[PermissionBasis]

class RoleScope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_SCOPE_UNSPECIFIED: _ClassVar[RoleScope]
    ROLE_SCOPE_GLOBAL: _ClassVar[RoleScope]
    ROLE_SCOPE_ORGANIZATION: _ClassVar[RoleScope]
    ROLE_SCOPE_INSTANCE: _ClassVar[RoleScope]

class RoleSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_SOURCE_UNSPECIFIED: _ClassVar[RoleSource]
    ROLE_SOURCE_MEMBERSHIP: _ClassVar[RoleSource]
    ROLE_SOURCE_FEATURE_ACCESS: _ClassVar[RoleSource]

class RoleOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_OUTCOME_UNSPECIFIED: _ClassVar[RoleOutcome]
    ROLE_OUTCOME_TOOK_PART: _ClassVar[RoleOutcome]
    ROLE_OUTCOME_NO_MATCHING_RULE: _ClassVar[RoleOutcome]
    ROLE_OUTCOME_OTHER_ORGANIZATION: _ClassVar[RoleOutcome]
    ROLE_OUTCOME_OTHER_INSTANCE: _ClassVar[RoleOutcome]
    ROLE_OUTCOME_ACCESS_DISABLED: _ClassVar[RoleOutcome]
    ROLE_OUTCOME_INSTANCE_NOT_USABLE: _ClassVar[RoleOutcome]
    ROLE_OUTCOME_LOWER_SCOPE: _ClassVar[RoleOutcome]
    ROLE_OUTCOME_MALFORMED: _ClassVar[RoleOutcome]
    ROLE_OUTCOME_UNKNOWN_ROLE: _ClassVar[RoleOutcome]

class AccessRuleFault(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCESS_RULE_FAULT_UNSPECIFIED: _ClassVar[AccessRuleFault]
    ACCESS_RULE_FAULT_READ_MISSING: _ClassVar[AccessRuleFault]
    ACCESS_RULE_FAULT_EXCEEDS_READ: _ClassVar[AccessRuleFault]
    ACCESS_RULE_FAULT_MALFORMED_ITEM: _ClassVar[AccessRuleFault]
    ACCESS_RULE_FAULT_DUPLICATE: _ClassVar[AccessRuleFault]
    ACCESS_RULE_FAULT_UNKNOWN_LEVEL: _ClassVar[AccessRuleFault]
    ACCESS_RULE_FAULT_UNKNOWN_CONTEXT: _ClassVar[AccessRuleFault]
    ACCESS_RULE_FAULT_VIEW_MISSING: _ClassVar[AccessRuleFault]
RULE_CONTEXT_UNSPECIFIED: RuleContext
RULE_CONTEXT_DATA: RuleContext
RULE_CONTEXT_UI: RuleContext
RULE_CONTEXT_RESOURCE: RuleContext
ACCESS_LEVEL_UNSPECIFIED: AccessLevel
ACCESS_LEVEL_NONE: AccessLevel
ACCESS_LEVEL_MY: AccessLevel
ACCESS_LEVEL_GROUP: AccessLevel
ACCESS_LEVEL_ALL: AccessLevel
OPERATION_UNSPECIFIED: Operation
OPERATION_VIEW: Operation
OPERATION_READ: Operation
OPERATION_CREATE: Operation
OPERATION_UPDATE: Operation
OPERATION_DELETE: Operation
PERMISSION_BASIS_UNSPECIFIED: PermissionBasis
PERMISSION_BASIS_ALL_MODE: PermissionBasis
PERMISSION_BASIS_ROLES: PermissionBasis
PERMISSION_BASIS_NO_CONTEXT: PermissionBasis
PERMISSION_BASIS_NO_ORGANIZATION: PermissionBasis
PERMISSION_BASIS_NOT_A_MEMBER: PermissionBasis
ROLE_SCOPE_UNSPECIFIED: RoleScope
ROLE_SCOPE_GLOBAL: RoleScope
ROLE_SCOPE_ORGANIZATION: RoleScope
ROLE_SCOPE_INSTANCE: RoleScope
ROLE_SOURCE_UNSPECIFIED: RoleSource
ROLE_SOURCE_MEMBERSHIP: RoleSource
ROLE_SOURCE_FEATURE_ACCESS: RoleSource
ROLE_OUTCOME_UNSPECIFIED: RoleOutcome
ROLE_OUTCOME_TOOK_PART: RoleOutcome
ROLE_OUTCOME_NO_MATCHING_RULE: RoleOutcome
ROLE_OUTCOME_OTHER_ORGANIZATION: RoleOutcome
ROLE_OUTCOME_OTHER_INSTANCE: RoleOutcome
ROLE_OUTCOME_ACCESS_DISABLED: RoleOutcome
ROLE_OUTCOME_INSTANCE_NOT_USABLE: RoleOutcome
ROLE_OUTCOME_LOWER_SCOPE: RoleOutcome
ROLE_OUTCOME_MALFORMED: RoleOutcome
ROLE_OUTCOME_UNKNOWN_ROLE: RoleOutcome
ACCESS_RULE_FAULT_UNSPECIFIED: AccessRuleFault
ACCESS_RULE_FAULT_READ_MISSING: AccessRuleFault
ACCESS_RULE_FAULT_EXCEEDS_READ: AccessRuleFault
ACCESS_RULE_FAULT_MALFORMED_ITEM: AccessRuleFault
ACCESS_RULE_FAULT_DUPLICATE: AccessRuleFault
ACCESS_RULE_FAULT_UNKNOWN_LEVEL: AccessRuleFault
ACCESS_RULE_FAULT_UNKNOWN_CONTEXT: AccessRuleFault
ACCESS_RULE_FAULT_VIEW_MISSING: AccessRuleFault

class PermissionQuery(_message.Message):
    __slots__ = ("context", "item", "feature_instance_id")
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    FEATURE_INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    context: RuleContext
    item: str
    feature_instance_id: str
    def __init__(self, context: _Optional[_Union[RuleContext, str]] = ..., item: _Optional[str] = ..., feature_instance_id: _Optional[str] = ...) -> None: ...

class Permissions(_message.Message):
    __slots__ = ("view", "read", "create", "update", "delete", "explanation")
    VIEW_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    CREATE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    DELETE_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    view: bool
    read: AccessLevel
    create: AccessLevel
    update: AccessLevel
    delete: AccessLevel
    explanation: PermissionExplanation
    def __init__(self, view: _Optional[bool] = ..., read: _Optional[_Union[AccessLevel, str]] = ..., create: _Optional[_Union[AccessLevel, str]] = ..., update: _Optional[_Union[AccessLevel, str]] = ..., delete: _Optional[_Union[AccessLevel, str]] = ..., explanation: _Optional[_Union[PermissionExplanation, _Mapping]] = ...) -> None: ...

class PermissionExplanation(_message.Message):
    __slots__ = ("basis", "roles", "steps")
    BASIS_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    basis: PermissionBasis
    roles: _containers.RepeatedCompositeFieldContainer[RoleExplanation]
    steps: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, basis: _Optional[_Union[PermissionBasis, str]] = ..., roles: _Optional[_Iterable[_Union[RoleExplanation, _Mapping]]] = ..., steps: _Optional[_Iterable[str]] = ...) -> None: ...

class RoleExplanation(_message.Message):
    __slots__ = ("role_id", "label", "scope", "source", "outcome", "rule_id", "rule_item")
    ROLE_ID_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_ITEM_FIELD_NUMBER: _ClassVar[int]
    role_id: str
    label: str
    scope: RoleScope
    source: RoleSource
    outcome: RoleOutcome
    rule_id: str
    rule_item: str
    def __init__(self, role_id: _Optional[str] = ..., label: _Optional[str] = ..., scope: _Optional[_Union[RoleScope, str]] = ..., source: _Optional[_Union[RoleSource, str]] = ..., outcome: _Optional[_Union[RoleOutcome, str]] = ..., rule_id: _Optional[str] = ..., rule_item: _Optional[str] = ...) -> None: ...

class AccessRule(_message.Message):
    __slots__ = ("role_id", "context", "item", "view", "read", "create", "update", "delete")
    ROLE_ID_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    CREATE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    DELETE_FIELD_NUMBER: _ClassVar[int]
    role_id: str
    context: RuleContext
    item: str
    view: bool
    read: AccessLevel
    create: AccessLevel
    update: AccessLevel
    delete: AccessLevel
    def __init__(self, role_id: _Optional[str] = ..., context: _Optional[_Union[RuleContext, str]] = ..., item: _Optional[str] = ..., view: _Optional[bool] = ..., read: _Optional[_Union[AccessLevel, str]] = ..., create: _Optional[_Union[AccessLevel, str]] = ..., update: _Optional[_Union[AccessLevel, str]] = ..., delete: _Optional[_Union[AccessLevel, str]] = ...) -> None: ...

class AccessRuleProblem(_message.Message):
    __slots__ = ("rule_index", "field", "reason", "message")
    RULE_INDEX_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    rule_index: int
    field: str
    reason: AccessRuleFault
    message: str
    def __init__(self, rule_index: _Optional[int] = ..., field: _Optional[str] = ..., reason: _Optional[_Union[AccessRuleFault, str]] = ..., message: _Optional[str] = ...) -> None: ...
