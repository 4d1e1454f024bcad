"""Messages with one thing less, to find the smallest that still shows something."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from google.protobuf.message import Message

M = TypeVar("M", bound=Message)


def lessened(whole: M) -> Iterator[M]:
    """Copies of a message, each with one field, element or byte less."""
    for field, value in whole.ListFields():
        name = field.name
        yield _edited(whole, partial(_clear, name))
        if isinstance(value, bytes):
            for place in range(len(value)):
                less = value[:place] + value[place + 1 :]
                yield _edited(whole, partial(_set, name, less))
        elif isinstance(value, Message):
            for inner in lessened(value):
                yield _edited(whole, partial(_replace, name, inner))
        elif field.message_type is not None:
            yield from _lessened_elements(whole, name)


def _lessened_elements(whole: M, name: str) -> Iterator[M]:
    elements = getattr(whole, name)
    is_map = hasattr(elements, "keys")
    for key in list(elements) if is_map else range(len(elements)):
        yield _edited(whole, partial(_drop, name, key))
        if not is_map:
            for inner in lessened(elements[key]):
                yield _edited(whole, partial(_replace_element, name, key, inner))


def _clear(name: str, copy: Message) -> None:
    copy.ClearField(name)


def _set(name: str, value: bytes, copy: Message) -> None:
    setattr(copy, name, value)


def _drop(name: str, key: object, copy: Message) -> None:
    del getattr(copy, name)[key]


def _replace(name: str, inner: Message, copy: Message) -> None:
    getattr(copy, name).CopyFrom(inner)


def _replace_element(name: str, index: int, inner: Message, copy: Message) -> None:
    getattr(copy, name)[index].CopyFrom(inner)


def _edited(whole: M, edit: Callable[[M], None]) -> M:
    copy = type(whole)()
    copy.CopyFrom(whole)
    edit(copy)
    return copy
