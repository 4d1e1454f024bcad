from authz.v1 import permission_pb2 as _permission_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Denial(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DENIAL_UNSPECIFIED: _ClassVar[Denial]
    DENIAL_INVALID: _ClassVar[Denial]
    DENIAL_UNAUTHENTICATED: _ClassVar[Denial]
    DENIAL_FORBIDDEN: _ClassVar[Denial]
    DENIAL_NOT_FOUND: _ClassVar[Denial]

class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REASON_UNSPECIFIED: _ClassVar[Reason]
    REASON_OWNED: _ClassVar[Reason]
    REASON_GRANTED: _ClassVar[Reason]
    REASON_GLOBAL_VISIBLE: _ClassVar[Reason]
    REASON_BYPASS_SYSTEM: _ClassVar[Reason]
    REASON_BYPASS_PLATFORM_ADMIN: _ClassVar[Reason]
    REASON_ORG_ADMIN: _ClassVar[Reason]
    REASON_ACTING_PLATFORM_ADMIN: _ClassVar[Reason]
    REASON_PLATFORM_ADMIN: _ClassVar[Reason]
    REASON_ORG_ROLE: _ClassVar[Reason]
    REASON_PERMITTED: _ClassVar[Reason]
    REASON_ALL_HOLD: _ClassVar[Reason]
    REASON_INVALID_CREDENTIAL: _ClassVar[Reason]
    REASON_INVALID_ORGANIZATION_ID: _ClassVar[Reason]
    REASON_UNKNOWN_RESOURCE_KIND: _ClassVar[Reason]
    REASON_NOT_A_MEMBER: _ClassVar[Reason]
    REASON_ORGANIZATION_NOT_FOUND: _ClassVar[Reason]
    REASON_RESOURCE_NOT_FOUND: _ClassVar[Reason]
    REASON_GLOBAL_RESOURCE: _ClassVar[Reason]
    REASON_OTHER_OWNER: _ClassVar[Reason]
    REASON_INSUFFICIENT_ORG_ROLE: _ClassVar[Reason]
    REASON_PLATFORM_ADMIN_REQUIRED: _ClassVar[Reason]
    REASON_NO_ORG_CONTEXT: _ClassVar[Reason]
    REASON_INSUFFICIENT_PERMISSION: _ClassVar[Reason]
    REASON_MALFORMED_FIELD: _ClassVar[Reason]
    REASON_MALFORMED_MESSAGE: _ClassVar[Reason]
    REASON_UNKNOWN_REVISION: _ClassVar[Reason]
    REASON_NOT_SERVED_HERE: _ClassVar[Reason]
    REASON_NOT_IMPLEMENTED: _ClassVar[Reason]
    REASON_FACTS_UNAVAILABLE: _ClassVar[Reason]
    REASON_DEADLINE_TOO_NEAR: _ClassVar[Reason]
    REASON_OVERLOADED: _ClassVar[Reason]
    REASON_SHUTTING_DOWN: _ClassVar[Reason]
    REASON_INTERNAL: _ClassVar[Reason]

class StepOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STEP_OUTCOME_UNSPECIFIED: _ClassVar[StepOutcome]
    STEP_OUTCOME_FACT: _ClassVar[StepOutcome]
    STEP_OUTCOME_PASSED: _ClassVar[StepOutcome]
    STEP_OUTCOME_ALLOWED: _ClassVar[StepOutcome]
    STEP_OUTCOME_DENIED: _ClassVar[StepOutcome]
DENIAL_UNSPECIFIED: Denial
DENIAL_INVALID: Denial
DENIAL_UNAUTHENTICATED: Denial
DENIAL_FORBIDDEN: Denial
DENIAL_NOT_FOUND: Denial
REASON_UNSPECIFIED: Reason
REASON_OWNED: Reason
REASON_GRANTED: Reason
REASON_GLOBAL_VISIBLE: Reason
REASON_BYPASS_SYSTEM: Reason
REASON_BYPASS_PLATFORM_ADMIN: Reason
REASON_ORG_ADMIN: Reason
REASON_ACTING_PLATFORM_ADMIN: Reason
REASON_PLATFORM_ADMIN: Reason
REASON_ORG_ROLE: Reason
REASON_PERMITTED: Reason
REASON_ALL_HOLD: Reason
REASON_INVALID_CREDENTIAL: Reason
REASON_INVALID_ORGANIZATION_ID: Reason
REASON_UNKNOWN_RESOURCE_KIND: Reason
REASON_NOT_A_MEMBER: Reason
REASON_ORGANIZATION_NOT_FOUND: Reason
REASON_RESOURCE_NOT_FOUND: Reason
REASON_GLOBAL_RESOURCE: Reason
REASON_OTHER_OWNER: Reason
REASON_INSUFFICIENT_ORG_ROLE: Reason
REASON_PLATFORM_ADMIN_REQUIRED: Reason
REASON_NO_ORG_CONTEXT: Reason
REASON_INSUFFICIENT_PERMISSION: Reason
REASON_MALFORMED_FIELD: Reason
REASON_MALFORMED_MESSAGE: Reason
REASON_UNKNOWN_REVISION: Reason
REASON_NOT_SERVED_HERE: Reason
REASON_NOT_IMPLEMENTED: Reason
REASON_FACTS_UNAVAILABLE: Reason
REASON_DEADLINE_TOO_NEAR: Reason
REASON_OVERLOADED: Reason
REASON_SHUTTING_DOWN: Reason
REASON_INTERNAL: Reason
STEP_OUTCOME_UNSPECIFIED: StepOutcome
STEP_OUTCOME_FACT: StepOutcome
STEP_OUTCOME_PASSED: StepOutcome
STEP_OUTCOME_ALLOWED: StepOutcome
STEP_OUTCOME_DENIED: StepOutcome

class Decision(_message.Message):
    __slots__ = ("allowed", "denial", "reason", "message", "explanation")
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    DENIAL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    allowed: bool
    denial: Denial
    reason: Reason
    message: str
    explanation: Explanation
    def __init__(self, allowed: _Optional[bool] = ..., denial: _Optional[_Union[Denial, str]] = ..., reason: _Optional[_Union[Reason, str]] = ..., message: _Optional[str] = ..., explanation: _Optional[_Union[Explanation, _Mapping]] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("steps", "permission")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    PERMISSION_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[ExplanationStep]
    permission: _permission_pb2.PermissionExplanation
    def __init__(self, steps: _Optional[_Iterable[_Union[ExplanationStep, _Mapping]]] = ..., permission: _Optional[_Union[_permission_pb2.PermissionExplanation, _Mapping]] = ...) -> None: ...

class ExplanationStep(_message.Message):
    __slots__ = ("rule", "outcome", "detail")
    RULE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    rule: str
    outcome: StepOutcome
    detail: str
    def __init__(self, rule: _Optional[str] = ..., outcome: _Optional[_Union[StepOutcome, str]] = ..., detail: _Optional[str] = ...) -> None: ...
