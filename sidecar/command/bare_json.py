"""Messages of the API as plain JSON values, with bare enum names.

Field names are the proto's own, in snake case and in the proto's order. An enum
value is its name without the enum's prefix; an `..._UNSPECIFIED` one is left
out, as are optional fields, messages and alternatives that are not set. Other
scalars and lists are always there. Integers of all sizes are numbers, a
`google.protobuf.Duration` is text such as `1.500s`.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

if TYPE_CHECKING:
    # The stubs name both implementations of descriptors; at runtime it is one.
    from google._upb._message import EnumDescriptor as UpbEnumDescriptor
    from google._upb._message import FieldDescriptor as UpbFieldDescriptor

Enum: TypeAlias = "EnumDescriptor | UpbEnumDescriptor"
Field: TypeAlias = "FieldDescriptor | UpbFieldDescriptor"
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json]"
M = TypeVar("M", bound=Message)

_UNSPECIFIED = "UNSPECIFIED"
_SCALARS: dict[int, type] = {
    FieldDescriptor.CPPTYPE_BOOL: bool,
    FieldDescriptor.CPPTYPE_INT32: int,
    FieldDescriptor.CPPTYPE_INT64: int,
    FieldDescriptor.CPPTYPE_UINT32: int,
    FieldDescriptor.CPPTYPE_UINT64: int,
    FieldDescriptor.CPPTYPE_STRING: str,
}


class BareJsonError(Exception):
    """A value does not fit the message; says where and why in one line."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"`{path}` {problem}" if path else f"the message {problem}")
        self.path = path


def to_bare(message: Message) -> dict[str, Json]:
    """The message as a mapping that `from_bare` reads back to an equal one."""
    return {
        field.name: _written(field, getattr(message, field.name))
        for field in message.DESCRIPTOR.fields
        if _is_told(field, message)
    }


def from_bare(values: Mapping[str, object], message_type: type[M]) -> M:
    """A message of a type from what `to_bare` writes; null means unset.

    Raises:
        BareJsonError: an unknown field or enum value, a value of another type,
            or two alternatives at once.
    """
    message = message_type()
    _fill(message, values, "")
    return message


def bare_name(enum: Enum, number: int) -> str:
    """The name of an enum value without the enum's prefix.

    A number that this version of the API does not name stays a number.
    """
    value = enum.values_by_number.get(number)
    return str(number) if value is None else value.name.removeprefix(_prefix(enum))


def bare_names(enum: Enum) -> dict[str, int]:
    """The bare names of an enum with their numbers, without the unspecified one."""
    prefix = _prefix(enum)
    return {value.name.removeprefix(prefix): value.number for value in enum.values[1:]}


def _enum(field: Field) -> Enum:
    if field.enum_type is None:
        raise TypeError(f"`{field.full_name}` is not of an enum type")
    return field.enum_type


def _prefix(enum: Enum) -> str:
    return enum.values[0].name.removesuffix(_UNSPECIFIED)


def _is_told(field: Field, message: Message) -> bool:
    if field.has_presence:
        return message.HasField(field.name)
    if field.is_repeated or field.cpp_type != FieldDescriptor.CPPTYPE_ENUM:
        return True
    number: int = getattr(message, field.name)
    return number != 0


def _written(field: Field, value: object) -> Json:
    if field.is_repeated and isinstance(value, Iterable):
        return [_written_one(field, element) for element in value]
    return _written_one(field, value)


def _written_one(field: Field, value: object) -> Json:
    match value:
        case Duration():
            return value.ToJsonString()
        case Message():
            return to_bare(value)
        case int() if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
            return bare_name(_enum(field), value)
        case bool() | int() | float() | str():
            return value
        case _:
            raise TypeError(f"`{field.full_name}` has no form in JSON")


def _fill(message: Message, values: object, path: str) -> None:
    if not isinstance(values, Mapping):
        raise BareJsonError(path, "must be a mapping")
    fields = message.DESCRIPTOR.fields_by_name
    for name, value in values.items():
        here = f"{path}.{name}" if path else str(name)
        if name not in fields:
            raise BareJsonError(here, "is not a field")
        if value is not None:
            _claim_alternative(message, fields[name], here)
            _set(message, fields[name], value, here)


def _claim_alternative(message: Message, field: Field, path: str) -> None:
    oneof = field.containing_oneof
    if oneof is None:
        return
    taken = message.WhichOneof(oneof.name)
    if taken is not None:
        raise BareJsonError(path, f"cannot be set besides `{taken}`")


def _set(message: Message, field: Field, value: object, path: str) -> None:
    if field.is_repeated:
        _extend(message, field, value, path)
    elif field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        _fill_part(getattr(message, field.name), value, path)
    else:
        scalar = _read_scalar(field, value, path)
        with _naming(path):
            setattr(message, field.name, scalar)


def _extend(message: Message, field: Field, value: object, path: str) -> None:
    if not isinstance(value, list | tuple):
        raise BareJsonError(path, "must be a list")
    elements = getattr(message, field.name)
    for index, element in enumerate(value):
        here = f"{path}[{index}]"
        if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
            _fill_part(elements.add(), element, here)
        else:
            scalar = _read_scalar(field, element, here)
            with _naming(here):
                elements.append(scalar)


def _fill_part(part: Message, value: object, path: str) -> None:
    part.SetInParent()
    if not isinstance(part, Duration):
        _fill(part, value, path)
    elif isinstance(value, str):
        with _naming(path):
            part.FromJsonString(value)
    else:
        raise BareJsonError(path, "must be a duration such as `1.500s`")


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """Says where a value stands that protobuf refuses: its range, its text."""
    try:
        yield
    except ValueError as error:
        raise BareJsonError(path, "is out of range or malformed") from error


def _read_scalar(field: Field, value: object, path: str) -> bool | int | float | str:
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        return _read_enum(_enum(field), value, path)
    wanted = _SCALARS[field.cpp_type]
    # A bool is an int in Python, but not in JSON.
    if type(value) is not wanted or not isinstance(value, bool | int | float | str):
        raise BareJsonError(path, f"must be {_SPOKEN[wanted]}")
    return value


def _read_enum(enum: Enum, value: object, path: str) -> int:
    names = bare_names(enum)
    if not isinstance(value, str) or value not in names:
        raise BareJsonError(path, f"must be one of {', '.join(names)}")
    return names[value]


_SPOKEN: dict[type, str] = {bool: "true or false", int: "a number", str: "text"}
