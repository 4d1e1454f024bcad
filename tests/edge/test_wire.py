"""Our few messages against Envoy's own, which are in an environment of their own."""

import base64
import json
import subprocess
from pathlib import Path
from random import Random

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.message import DecodeError, Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.unknown_fields import UnknownFieldSet

from sidecar.transport.envoy import external_auth_pb2 as envoy
from tests.edge.fuzz_requests import Maker
from tests.edge.lab import lab
from tests.support.edge import ROOT

_PYTHON = ROOT / ".venv" / "wire" / "bin" / "python"
_CHILD = Path(__file__).with_name("wire_child.py")
_MESSAGES = 200

Carried = tuple[str, bytes]


def _child(file: FileDescriptorProto, **asked: object) -> dict[str, list[object]]:
    """What the other environment says; `make setup` makes it."""
    question = {"file": _text(file.SerializeToString()), **asked}
    done = subprocess.run(  # noqa: S603  our own program
        [_PYTHON, "-I", _CHILD],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    answer: dict[str, list[object]] = json.loads(done.stdout)
    return answer


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _file() -> FileDescriptorProto:
    return FileDescriptorProto.FromString(envoy.DESCRIPTOR.serialized_pb)


def _read(name: str, data: bytes) -> Message:
    kinds: dict[str, type[Message]] = {
        "CheckRequest": envoy.CheckRequest,
        "CheckResponse": envoy.CheckResponse,
    }
    return kinds[name].FromString(data)


def _carried(found: list[object]) -> list[Carried]:
    return [
        (str(name), base64.b64decode(str(data)))
        for name, data in (each for each in found if isinstance(each, list))
    ]


def test_every_field_is_envoys() -> None:
    """Each message, field and method has Envoy's name, number, label and wire type."""
    assert [] == _child(_file())["problems"]


def _fields(file: FileDescriptorProto) -> dict[str, FieldDescriptorProto]:
    found = {}

    def gather(message: object, path: str) -> None:
        for field in message.field:  # type: ignore[attr-defined]
            found[f"{path}.{field.name}"] = field
        for nested in message.nested_type:  # type: ignore[attr-defined]
            gather(nested, f"{path}.{nested.name}")

    for message in file.message_type:
        gather(message, message.name)
    return found


_MOVED = [
    "CheckRequest.attributes", "AttributeContext.HttpRequest.path",
    "AttributeContext.HttpRequest.HeaderEntry.value", "Metadata.filter_metadata",
    "CheckResponse.status", "HeaderValueOption.append_action",
]  # fmt: skip


@pytest.mark.parametrize("path", _MOVED)
def test_a_wrong_number_is_found(path: str) -> None:
    """A field that is moved to another number is told by its name."""
    file = _file()
    field = _fields(file)[path]
    field.number += 100

    problems = _child(file)["problems"]

    assert any(f".{field.name}: " in str(problem) for problem in problems)


def test_a_wrong_kind_is_found() -> None:
    """So is one that is a list, of another type, or out of its choice."""
    file = _file()
    fields = _fields(file)
    fields["DeniedHttpResponse.body"].label = FieldDescriptorProto.LABEL_REPEATED
    fields["Status.code"].type = FieldDescriptorProto.TYPE_STRING
    fields["CheckResponse.ok_response"].ClearField("oneof_index")
    file.message_type[-1].enum_type[0].value[2].number = 7

    problems = _child(file)["problems"]

    for name in ("body", "code", "ok_response", "append_action"):
        assert any(f".{name}: " in str(problem) for problem in problems)


def test_envoys_messages_are_read_whole() -> None:
    """What Envoy writes is known to the last field, and is the same written again."""
    made = _carried(_child(_file(), make=_MESSAGES)["made"])
    ours = [(name, _read(name, data)) for name, data in made]
    pairs = [
        (name, _text(data), _text(message.SerializeToString()))
        for (name, data), (_, message) in zip(made, ours, strict=True)
    ]

    assert _MESSAGES == len(made)
    assert [True] * _MESSAGES == _child(_file(), same=pairs)["same"]
    for _, message in ours:
        _assert_known(message)


async def test_our_messages_are_read_whole() -> None:
    """What we write comes back from Envoy as it was: requests, and real responses."""
    subject, maker = await lab(), Maker(Random(5))  # noqa: S311  nothing secret
    messages: list[Message] = []
    while len(messages) < _MESSAGES:
        request = maker.request()
        if _is_unicode(request):
            messages += [request, await subject.check(request)]
    sent = [(type(each).__name__, _text(each.SerializeToString())) for each in messages]

    echoed = _carried(_child(_file(), echo=sent)["echoed"])

    for message, (name, data) in zip(messages, echoed, strict=True):
        assert _in_order(message) == _in_order(_read(name, data))


def _is_unicode(request: envoy.CheckRequest) -> bool:
    """Whether Envoy's own messages take it, whose texts are UTF-8."""
    try:
        http = request.attributes.request.http
        for text in (http.method, http.path, request.attributes.source.principal):
            text.decode()
        for header in http.headers:
            header.key.decode()
            header.value.decode()
        for each in http.header_map.headers:
            each.key.decode()
        for entry in request.attributes.metadata_context.filter_metadata:
            Struct.FromString(entry.value)
    except (UnicodeDecodeError, DecodeError):
        return False
    return True


def _in_order(message: Message) -> Message:
    """The same, with what are maps to Envoy in order."""
    if isinstance(message, envoy.CheckRequest):
        headers = message.attributes.request.http.headers
        values = {each.key: each.value for each in headers}
        del headers[:]
        for key in sorted(values):
            headers.add(key=key, value=values[key])
        for entry in message.attributes.metadata_context.filter_metadata:
            metadata = Struct.FromString(entry.value)
            entry.value = metadata.SerializeToString(deterministic=True)
    return message


def _assert_known(message: Message) -> None:
    assert 0 == len(UnknownFieldSet(message))
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        for each in value if field.is_repeated else [value]:
            _assert_known(each)
