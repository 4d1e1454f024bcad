"""Messages of the API as plain JSON values, quickly: fields are looked up once.

The form is that of the command line's `bare_json`: the proto's names, enums without
their prefix, and nothing that is not set.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from operator import attrgetter
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
_Read: TypeAlias = Callable[[Message], object]
_Convert: TypeAlias = Callable[[object], Json]
# A field's name, whether it may be unset, how to read it, whether it has several
# values, and how to make one plain; none for what is plain already.
_Reading: TypeAlias = tuple[str, bool, _Read, bool, _Convert | None]

_UNSPECIFIED: Final = "UNSPECIFIED"


def bare(message: Message) -> dict[str, Json]:
    """The message as a mapping of its own."""
    found: dict[str, Json] = {}
    for name, has_presence, read, is_repeated, convert in _readings(message.DESCRIPTOR):
        if has_presence and not message.HasField(name):
            continue
        value = read(message)
        if is_repeated:
            several = cast("Iterable[Json]", value)
            found[name] = [*map(convert, several)] if convert else [*several]
        elif convert is None:
            found[name] = cast("Json", value)
        else:
            told = convert(value)
            if told is not None:
                found[name] = told
    return found


@cache
def _readings(kind: _Type) -> tuple[_Reading, ...]:
    return tuple(
        (
            field.name,
            field.has_presence,
            attrgetter(field.name),
            field.is_repeated,
            _converter(field),
        )
        for field in kind.fields
    )


def _converter(field: _Field) -> _Convert | None:
    if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        return cast("_Convert", bare)
    if field.enum_type is None:
        return None
    names = _names(field.enum_type)
    # Not told where it is neither one of several nor set for sure.
    is_told = field.is_repeated or field.has_presence
    known = names if is_told else {**names, 0: None}

    def name(number: object) -> Json:
        return known.get(cast("int", number), str(number))

    return name


def _names(enum: _Enum) -> Mapping[int, str]:
    prefix = enum.values[0].name.removesuffix(_UNSPECIFIED)
    return {each.number: each.name.removeprefix(prefix) for each in enum.values}
