from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FilterField(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FILTER_FIELD_UNSPECIFIED: _ClassVar[FilterField]
    FILTER_FIELD_OWNER_PRINCIPAL_ID: _ClassVar[FilterField]
    FILTER_FIELD_CLUSTER_ID: _ClassVar[FilterField]
    FILTER_FIELD_ID: _ClassVar[FilterField]
    FILTER_FIELD_CREATED_BY: _ClassVar[FilterField]
    FILTER_FIELD_ORGANIZATION_ID: _ClassVar[FilterField]

class PlaceholderStyle(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PLACEHOLDER_STYLE_UNSPECIFIED: _ClassVar[PlaceholderStyle]
    PLACEHOLDER_STYLE_DOLLAR: _ClassVar[PlaceholderStyle]
    PLACEHOLDER_STYLE_FORMAT: _ClassVar[PlaceholderStyle]
    PLACEHOLDER_STYLE_QUESTION: _ClassVar[PlaceholderStyle]
    PLACEHOLDER_STYLE_NAMED: _ClassVar[PlaceholderStyle]
FILTER_FIELD_UNSPECIFIED: FilterField
FILTER_FIELD_OWNER_PRINCIPAL_ID: FilterField
FILTER_FIELD_CLUSTER_ID: FilterField
FILTER_FIELD_ID: FilterField
FILTER_FIELD_CREATED_BY: FilterField
FILTER_FIELD_ORGANIZATION_ID: FilterField
PLACEHOLDER_STYLE_UNSPECIFIED: PlaceholderStyle
PLACEHOLDER_STYLE_DOLLAR: PlaceholderStyle
PLACEHOLDER_STYLE_FORMAT: PlaceholderStyle
PLACEHOLDER_STYLE_QUESTION: PlaceholderStyle
PLACEHOLDER_STYLE_NAMED: PlaceholderStyle

class ListFilter(_message.Message):
    __slots__ = ("everything", "nothing", "condition")
    EVERYTHING_FIELD_NUMBER: _ClassVar[int]
    NOTHING_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    everything: bool
    nothing: bool
    condition: FilterCondition
    def __init__(self, everything: _Optional[bool] = ..., nothing: _Optional[bool] = ..., condition: _Optional[_Union[FilterCondition, _Mapping]] = ...) -> None: ...

class FilterCondition(_message.Message):
    __slots__ = ("all_of", "any_of", "equals")
    ALL_OF_FIELD_NUMBER: _ClassVar[int]
    ANY_OF_FIELD_NUMBER: _ClassVar[int]
    EQUALS_FIELD_NUMBER: _ClassVar[int]
    IN_FIELD_NUMBER: _ClassVar[int]
    all_of: FilterConditions
    any_of: FilterConditions
    equals: FieldEquals
    def __init__(self, all_of: _Optional[_Union[FilterConditions, _Mapping]] = ..., any_of: _Optional[_Union[FilterConditions, _Mapping]] = ..., equals: _Optional[_Union[FieldEquals, _Mapping]] = ..., **kwargs) -> None: ...

class FilterConditions(_message.Message):
    __slots__ = ("conditions",)
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    conditions: _containers.RepeatedCompositeFieldContainer[FilterCondition]
    def __init__(self, conditions: _Optional[_Iterable[_Union[FilterCondition, _Mapping]]] = ...) -> None: ...

class FieldEquals(_message.Message):
    __slots__ = ("field", "value")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    field: FilterField
    value: str
    def __init__(self, field: _Optional[_Union[FilterField, str]] = ..., value: _Optional[str] = ...) -> None: ...

class FieldIn(_message.Message):
    __slots__ = ("field", "values")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    field: FilterField
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, field: _Optional[_Union[FilterField, str]] = ..., values: _Optional[_Iterable[str]] = ...) -> None: ...

class SqlOptions(_message.Message):
    __slots__ = ("columns", "placeholder_style", "first_parameter")
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    PLACEHOLDER_STYLE_FIELD_NUMBER: _ClassVar[int]
    FIRST_PARAMETER_FIELD_NUMBER: _ClassVar[int]
    columns: _containers.RepeatedCompositeFieldContainer[SqlColumn]
    placeholder_style: PlaceholderStyle
    first_parameter: int
    def __init__(self, columns: _Optional[_Iterable[_Union[SqlColumn, _Mapping]]] = ..., placeholder_style: _Optional[_Union[PlaceholderStyle, str]] = ..., first_parameter: _Optional[int] = ...) -> None: ...

class SqlColumn(_message.Message):
    __slots__ = ("field", "column")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    field: FilterField
    column: str
    def __init__(self, field: _Optional[_Union[FilterField, str]] = ..., column: _Optional[str] = ...) -> None: ...

class SqlFilter(_message.Message):
    __slots__ = ("text", "parameters")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    text: str
    parameters: _containers.RepeatedCompositeFieldContainer[SqlParameter]
    def __init__(self, text: _Optional[str] = ..., parameters: _Optional[_Iterable[_Union[SqlParameter, _Mapping]]] = ...) -> None: ...

class SqlParameter(_message.Message):
    __slots__ = ("int64", "text", "uuid", "int64_array", "text_array", "uuid_array")
    INT64_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    UUID_FIELD_NUMBER: _ClassVar[int]
    INT64_ARRAY_FIELD_NUMBER: _ClassVar[int]
    TEXT_ARRAY_FIELD_NUMBER: _ClassVar[int]
    UUID_ARRAY_FIELD_NUMBER: _ClassVar[int]
    int64: int
    text: str
    uuid: str
    int64_array: Int64Values
    text_array: TextValues
    uuid_array: TextValues
    def __init__(self, int64: _Optional[int] = ..., text: _Optional[str] = ..., uuid: _Optional[str] = ..., int64_array: _Optional[_Union[Int64Values, _Mapping]] = ..., text_array: _Optional[_Union[TextValues, _Mapping]] = ..., uuid_array: _Optional[_Union[TextValues, _Mapping]] = ...) -> None: ...

class Int64Values(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, values: _Optional[_Iterable[int]] = ...) -> None: ...

class TextValues(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, values: _Optional[_Iterable[str]] = ...) -> None: ...
