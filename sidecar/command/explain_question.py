"""A logged question, as a request that can be put again."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

from authz.v1 import authorization_service_pb2 as pb
from authz.v1 import caller_pb2
from google.protobuf.message import Message

from sidecar.command.bare_json import BareJsonError, Json, from_bare
from sidecar.command.explain_calls import (
    CALLS,
    Call,
    Element,
    element_words,
    elements_of,
)
from sidecar.tools.decision_records import Fields, Record

_MASK: Final = re.compile(r"<masked(?::[0-9a-f]+)?>", re.ASCII)
_CREDENTIALS: Final = ("api_key", "access_token")
_NAMES: Final = ("user_id", "subject")
_PROVED: Final = ("user_id", "pinned_principal_id")
# What may be cut in a record without the question being another one.
_BESIDE_THE_QUESTION: Final = frozenset({"accessible_cluster_ids", "context"})
# Of the request of then; now is asked in a way of its own.
_HOW: Final = ("caller", "consistency", "explain")


class CannotAskAgainError(Exception):
    """The log does not have what it takes to ask again; says what is missing."""


@dataclass(frozen=True, slots=True)
class Again:
    """A logged question that can be put again.

    `only` chooses one element; none asks all. `proved`: whether the caller showed a
    credential then, and whom it proved is named now.
    """

    record: Record
    call: Call
    request: Message
    proved: bool
    only: int | None = None

    @property
    def caller(self) -> caller_pb2.Caller:
        """Who asks."""
        return cast("caller_pb2.Caller", getattr(self.request, "caller"))  # noqa: B009

    @property
    def elements(self) -> Sequence[Element]:
        """What is asked, one by one; empty for a call that is one question."""
        return elements_of(self.call, self.request)

    @property
    def count(self) -> int:
        """How many answers there are."""
        return len(self.elements) if self.call.asked else 1

    def words(self) -> list[str]:
        """The elements for people; the call's name where it is one question."""
        elements = self.elements
        return [element_words(each) for each in elements] or [self._one()]

    def _one(self) -> str:
        if isinstance(self.request, pb.GetListFilterRequest):
            return f"rows of {self.request.kind}"
        return self.call.rpc


def again_of(record: Record, only: int | None = None) -> Again:
    """The question of a record.

    Raises:
        CannotAskAgainError: the record does not have all that it takes.
    """
    call = CALLS.get(record.rpc)
    if call is None:
        raise CannotAskAgainError(f"`{record.rpc}` is no call that can be asked again")
    refuse_cut(record, call)
    refuse_masked(record, {"question": dict(record.question)})
    caller, proved = caller_of(record)
    fields = {name: each for name, each in record.question.items() if name not in _HOW}
    return again_with(Again(record, call, call.request(), proved, only), fields, caller)


def again_with(again: Again, fields: Fields, caller: Fields) -> Again:
    """The same with a request of these fields, about the element that is chosen.

    Raises:
        CannotAskAgainError: they do not make one, or it has no such element.
    """
    try:
        request = from_bare({**fields, "caller": caller}, again.call.request)
    except BareJsonError as error:
        raise CannotAskAgainError(f"the question is not understood: {error}") from error
    if again.only is not None:
        request = _narrowed(again.record, again.call, request, again.only)
    return replace(again, request=request)


def caller_of(record: Record) -> tuple[dict[str, Json], bool]:
    """Whom to name as the caller, and whether that was proved then and not named.

    Raises:
        CannotAskAgainError: it is not known.
    """
    caller, proved = record.caller, record.proved
    shown = next((name for name in _CREDENTIALS if name in caller), None)
    is_named = any(name in caller for name in _NAMES)
    if shown is None and not is_named:
        raise CannotAskAgainError("the log does not say who asked")
    if shown is None and (proved is None or not masked_in(caller)):
        refuse_masked(record, {"caller": dict(caller)})
        return dict(caller), False
    if proved is None:
        raise CannotAskAgainError(
            "the caller's credential proved nobody, and credentials are never in the "
            "log; ask again with it: `ask` has options for that"
        )
    kept = {name: caller[name] for name in ("organization_id",) if name in caller}
    named = {name: proved[name] for name in _PROVED if proved.get(name) is not None}
    refuse_masked(record, {"caller": kept, "proved": named})
    return {**named, **kept}, True


def refuse_masked(record: Record, fields: Fields) -> None:
    """Raises CannotAskAgainError when a value in there is masked, and names it."""
    found = masked_in(fields)
    if found:
        raise CannotAskAgainError(
            f"{_ticked(found)} is masked in the log, where "
            f"{_ticked(record.masked)} always is"
        )


def masked_in(value: object, place: str = "") -> list[str]:
    """Where masks stand in a value."""
    match value:
        case str():
            return [place] if _MASK.fullmatch(value) else []
        case list():
            parts = [(f"{place}[{index}]", each) for index, each in enumerate(value)]
        case dict():
            parts = [
                (f"{place}.{name}".lstrip("."), each) for name, each in value.items()
            ]
        case _:
            return []
    return [found for name, each in parts for found in masked_in(each, name)]


def refuse_cut(record: Record, call: Call) -> None:
    """Raises CannotAskAgainError when so much was cut that it is another question."""
    cut = record.truncated or {}
    harmless = {*_BESIDE_THE_QUESTION, *([call.asked, "answer"] if call.asked else [])}
    missing = sorted(set(cut) - harmless)
    if missing:
        raise CannotAskAgainError(
            f"{_ticked(missing)} was too long for the log and is cut there"
        )


def _narrowed(record: Record, call: Call, request: Message, only: int) -> Message:
    """The request with one of its elements."""
    elements = elements_of(call, request)
    if not elements and only == 0:
        return request
    if call.asked in (record.truncated or {}):
        raise CannotAskAgainError(
            "which of its elements the log has is not known, as it was cut: ask about "
            "the decision without the number"
        )
    if only >= len(elements):
        raise CannotAskAgainError(
            f"element `{only}` is not in the log, there are {len(elements)}"
        )
    return _about(call, request, [elements[only]])


def request_with(
    again: Again, wanted: Sequence[Element], how: Mapping[str, Json]
) -> Message:
    """The request about some of its elements, with fields that say how to answer."""
    request = from_bare(how, again.call.request)
    request.MergeFrom(_about(again.call, again.request, wanted))
    return request


def _about(call: Call, request: Message, wanted: Sequence[Element]) -> Message:
    if call.asked in {"", "gate"}:
        return request
    narrowed = call.request()
    narrowed.CopyFrom(request)
    narrowed.ClearField(call.asked)
    getattr(narrowed, call.asked).extend(wanted)
    return narrowed


def _ticked(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
