"""Runs beside Envoy's own protos: compares ours with them, and carries messages.

One JSON object comes in and one goes out. `file` is our serialized file descriptor;
`make` is how many of Envoy's messages to make up; `echo` are messages of ours to read
and write again; `same` are pairs of messages to be compared as Envoy reads them. It
imports nothing of the project, whose packages are not here.
"""

import base64
import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from random import Random
from typing import TypeAlias, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import (
    Descriptor,
    EnumDescriptor,
    FieldDescriptor,
    ServiceDescriptor,
)
from google.protobuf.message import Message

# One letter each of one to four bytes of UTF-8, and one that ends strings elsewhere.
_LETTERS = "aZ0/%, \0ä\u20ac\U0001f600"
# What takes the same bytes: text that need not be UTF-8, a message that is not
# decoded, and a number of a list that need not be known.
_ALIKE = {
    (FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_STRING),
    (FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_MESSAGE),
    (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_ENUM),
}
_SERVICE = "envoy.service.auth.v3.Authorization"
_TYPES = ("CheckRequest", "CheckResponse")

Pair: TypeAlias = tuple[Descriptor, Descriptor]


def main() -> None:
    """Answers what comes in."""
    asked = json.load(sys.stdin)
    importlib.import_module("envoy.service.auth.v3.external_auth_pb2")
    envoys = descriptor_pool.Default().FindServiceByName(_SERVICE)
    ours = _ours(_bytes(asked["file"]))
    answer = {
        "problems": list(_problems(ours, envoys)),
        "made": [list(each) for each in _make(asked.get("make", 0), ours, envoys)],
        "echoed": [
            [name, _text(_read(name, _bytes(data)).SerializeToString())]
            for name, data in asked.get("echo", [])
        ],
        "same": [
            _read(name, _bytes(one)) == _read(name, _bytes(other))
            for name, one, other in asked.get("same", [])
        ],
    }
    json.dump(answer, sys.stdout)


def _ours(file: bytes) -> ServiceDescriptor:
    # A pool of its own: ours has the names of Envoy's.
    pool = descriptor_pool.DescriptorPool()
    proto = descriptor_pb2.FileDescriptorProto.FromString(file)
    for name in proto.dependency:
        known = descriptor_pool.Default().FindFileByName(name)
        pool.AddSerializedFile(known.serialized_pb)
    pool.AddSerializedFile(file)
    return pool.FindServiceByName(_SERVICE)


def _problems(ours: ServiceDescriptor, envoys: ServiceDescriptor) -> Iterator[str]:
    for method in ours.methods:
        other = envoys.methods_by_name.get(method.name)
        if other is None:
            yield f"{method.full_name}: Envoy has no such method"
            continue
        if method.client_streaming or method.server_streaming:
            yield f"{method.full_name}: streams"
        for one, theirs in (
            (method.input_type, other.input_type),
            (method.output_type, other.output_type),
        ):
            if one.full_name != theirs.full_name:
                yield f"{method.full_name}: {one.full_name} is {theirs.full_name}"
            yield from _differences((one, theirs), one.name, set())


def _differences(pair: Pair, path: str, seen: set[str]) -> Iterator[str]:
    ours, envoys = pair
    if ours.full_name in seen:
        return
    seen.add(ours.full_name)
    if ours.file.package == "google.protobuf":
        if ours.full_name != envoys.full_name:
            yield f"{path}: {ours.full_name} is {envoys.full_name}"
        return
    for field in ours.fields:
        where = f"{path}.{field.name}"
        other = envoys.fields_by_number.get(field.number)
        if other is None:
            yield f"{where}: Envoy has no number {field.number}"
            continue
        yield from _differences_of_field(field, other, where)
        if field.message_type is not None and other.message_type is not None:
            inner = (field.message_type, other.message_type)
            yield from _differences(inner, where, seen)


def _differences_of_field(
    field: FieldDescriptor, other: FieldDescriptor, where: str
) -> Iterator[str]:
    if field.name != other.name:
        yield f"{where}: Envoy's {field.number} is {other.name}"
    if field.is_repeated != other.is_repeated:
        yield f"{where}: one is repeated"
    if _oneof(field) != _oneof(other):
        yield f"{where}: in {_oneof(field)}, Envoy's in {_oneof(other)}"
    if field.type != other.type and (field.type, other.type) not in _ALIKE:
        yield f"{where}: of type {field.type}, Envoy's of {other.type}"
    if field.enum_type is not None and other.enum_type is not None:
        yield from _differences_of_enum(field.enum_type, other.enum_type, where)


def _differences_of_enum(
    ours: EnumDescriptor, envoys: EnumDescriptor, where: str
) -> Iterator[str]:
    for name, value in ours.values_by_name.items():
        theirs = envoys.values_by_name.get(name)
        if theirs is None or theirs.number != value.number:
            yield f"{where}: {name} is not Envoy's {value.number}"


def _oneof(field: FieldDescriptor) -> str | None:
    oneof = field.containing_oneof
    return None if oneof is None else oneof.name


def _make(
    count: int, ours: ServiceDescriptor, envoys: ServiceDescriptor
) -> Iterator[tuple[str, str]]:
    """Messages of Envoy's with all that ours know, and nothing else."""
    random = Random(count)  # noqa: S311  nothing secret is made of it
    method, other = ours.methods_by_name["Check"], envoys.methods_by_name["Check"]
    for number in range(count):
        name = _TYPES[number % 2]
        kind = method.output_type if number % 2 else method.input_type
        theirs = other.output_type if number % 2 else other.input_type
        message = message_factory.GetMessageClass(theirs)()
        _fill(message, kind, random)
        yield name, _text(message.SerializeToString())


def _fill(message: Message, ours: Descriptor, random: Random) -> None:
    for field in ours.fields:
        if random.random() < 0.8:
            other = message.DESCRIPTOR.fields_by_number[field.number]
            _fill_field(message, field, cast("FieldDescriptor", other), random)


def _fill_field(
    message: Message, field: FieldDescriptor, other: FieldDescriptor, random: Random
) -> None:
    target = getattr(message, other.name)
    times = random.randrange(4)
    if _is_map(other):
        _fill_map(target, other, random)
    elif other.message_type is None and other.is_repeated:
        target.extend(_value(other, random) for _ in range(times))
    elif other.message_type is None:
        setattr(message, other.name, _value(other, random))
    elif other.is_repeated:
        for _ in range(times):
            _fill(target.add(), _message(field), random)
    elif other.message_type.full_name == "google.protobuf.Struct":
        _fill_struct(target, random)
    else:
        target.SetInParent()
        _fill(target, _message(field), random)


def _fill_map(
    target: Mapping[str, object], other: FieldDescriptor, random: Random
) -> None:
    values = _message(other).fields_by_name["value"]
    for _ in range(random.randrange(4)):
        key = _word(random)
        if values.message_type is None:
            target[key] = _word(random)  # type: ignore[index]  # a map of protobuf
        else:
            _fill_struct(cast("Message", target[key]), random)


def _fill_struct(target: Message, random: Random) -> None:
    fields = {_word(random): _word(random), _word(random): [random.random(), None]}
    target.update({**fields, "inner": {_word(random): True}})  # type: ignore[attr-defined]
    target.SetInParent()


def _message(field: FieldDescriptor) -> Descriptor:
    return cast("Descriptor", field.message_type)


def _is_map(field: FieldDescriptor) -> bool:
    kind = field.message_type
    return kind is not None and bool(kind.GetOptions().map_entry)


def _value(field: FieldDescriptor, random: Random) -> object:
    if field.enum_type is not None:
        return random.choice(field.enum_type.values).number
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return _word(random)
        case FieldDescriptor.TYPE_BYTES:
            return random.randbytes(random.randrange(9))
        case FieldDescriptor.TYPE_BOOL:
            return random.random() < 0.5
        case _:
            return random.randrange(-(2**31), 2**31)


def _word(random: Random) -> str:
    return "".join(random.choices(_LETTERS, k=random.randrange(9)))


def _read(name: str, data: bytes) -> Message:
    full = f"envoy.service.auth.v3.{name}"
    kind = descriptor_pool.Default().FindMessageTypeByName(full)
    message: Message = message_factory.GetMessageClass(kind).FromString(data)
    return message


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


if __name__ == "__main__":
    main()
