"""Messages of the API as plain JSON values, quickly: fields are looked up once.

The form is that of the command line's `bare_json`: the proto's names, enums without
their prefix, and nothing that is not set.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from sidecar.audit.record import Json

if TYPE_CHECKING:
    from google._upb._message import Descriptor as UpbDescriptor
    from google._upb._message import EnumDescriptor as UpbEnumDescriptor
    from google._upb._message import FieldDescriptor as UpbFieldDescriptor

_Enum: TypeAlias = "EnumDescriptor | UpbEnumDescriptor"
_Field: TypeAlias = "FieldDescriptor | UpbFieldDescriptor"
_Type: TypeAlias = "Descriptor | UpbDescriptor"
_Read: TypeAlias = Callable[[Message], Json]
# How to tell that a field is not to be told, and how to tell it.
_Reading: TypeAlias = tuple[str, bool, _Read]

_UNSPECIFIED: Final = "UNSPECIFIED"


def bare(message: Message) -> dict[str, Json]:
    """The message as a mapping of its own."""
    found: dict[str, Json] = {}
    for name, has_presence, read in _readings(message.DESCRIPTOR):
        if has_presence and not message.HasField(name):
            continue
        value = read(message)
        if value is not None:
            found[name] = value
    return found


@cache
def _readings(kind: _Type) -> tuple[_Reading, ...]:
    return tuple(
        (field.name, field.has_presence, _reader(field)) for field in kind.fields
    )


def _reader(field: _Field) -> _Read:
    name = field.name
    one = _one(field)
    if field.is_repeated:
        return lambda message: [one(each) for each in getattr(message, name)]
    return lambda message: one(getattr(message, name))


def _one(field: _Field) -> Callable[[object], Json]:
    if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        return lambda value: bare(cast("Message", value))
    if field.enum_type is not None:
        names = _names(field.enum_type)
        is_told = field.is_repeated or field.has_presence
        unspecified = names[0] if is_told else None

        def name(value: object) -> Json:
            number = cast("int", value)
            return unspecified if number == 0 else names.get(number, str(number))

        return name
    return lambda value: cast("Json", value)


def _names(enum: _Enum) -> Mapping[int, str]:
    prefix = enum.values[0].name.removesuffix(_UNSPECIFIED)
    return {each.number: each.name.removeprefix(prefix) for each in enum.values}
