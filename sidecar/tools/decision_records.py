"""One record of a decision log: what was asked, by whom, and what was answered."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json]"
Fields: TypeAlias = Mapping[str, Json]

_VERSION: Final = 1
# Nothing within a text of JSON can look like this, as its quotes are escaped there.
BEGIN: Final = b'{"v":'
_END: Final = b"}"


class TornRecordError(Exception):
    """A record is there and not whole."""


class NewerRecordError(Exception):
    """A record is of a form that this version does not read."""


@dataclass(frozen=True, slots=True)
class Record:
    """A decision as it was logged; `fields` is the whole of it.

    What is masked or was cut is said by `masked` and `truncated`.
    """

    fields: Fields

    @property
    def decision_id(self) -> str:
        """What the answer was called."""
        return self.text("decision_id")

    @property
    def time(self) -> str:
        """When it was decided."""
        return self.text("time")

    @property
    def rpc(self) -> str:
        """The call, named as in the proto; `Check` at the edge."""
        return self.text("rpc")

    @property
    def is_edge(self) -> bool:
        """Whether Envoy asked."""
        return self.text("source") == "edge"

    @property
    def outcome(self) -> str:
        """`allowed`, `denied`, or `error` when it could not be decided."""
        return self.text("outcome")

    @property
    def reason(self) -> str:
        """Of the first denial, or else of the first decision; a bare name."""
        return self.text("reason")

    @property
    def code(self) -> str:
        """The status of the call, `OK` when it was answered."""
        return self.text("code")

    @property
    def caller(self) -> Fields:
        """Who asked, with credentials masked."""
        return self.mapping("caller") or {}

    @property
    def proved(self) -> Fields | None:
        """Whom a credential proved; none when there was none, or a bad one."""
        return self.mapping("proved")

    @property
    def context(self) -> Fields | None:
        """As which tenant the caller acted; none when that did not resolve."""
        return self.mapping("context")

    @property
    def question(self) -> Fields:
        """The request without its caller, in bare JSON."""
        return self.mapping("question") or {}

    @property
    def answer(self) -> Sequence[Fields]:
        """An answer for each element of the question that was kept."""
        value = self.fields.get("answer")
        elements = value if isinstance(value, list) else []
        return [each for each in elements if isinstance(each, dict)]

    @property
    def revision(self) -> str | None:
        """The revision that the answer reflects at least; none when none is known."""
        return self.text("revision") or None

    @property
    def edge(self) -> Fields:
        """What Envoy asked about; empty for a call of the API."""
        return self.mapping("edge") or {}

    @property
    def masked(self) -> tuple[str, ...]:
        """The names of fields whose values are masked."""
        value = self.fields.get("masked")
        names = value if isinstance(value, list) else []
        return tuple(each for each in names if isinstance(each, str))

    @property
    def truncated(self) -> Fields | None:
        """How much there was before it was cut; none when it is whole."""
        return self.mapping("truncated")

    def text(self, name: str) -> str:
        """A field that is a text; empty when it is not there."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    def mapping(self, name: str) -> Fields | None:
        """A field that is a mapping; none when it is not there."""
        value = self.fields.get(name)
        return value if isinstance(value, dict) else None


def read_record(line: bytes) -> Record | None:
    """The record of a line; none when the line has none.

    What stands before it is no part of it: the time that whoever keeps a container's
    output puts there, or the half of a record whose writer was killed.

    Raises:
        TornRecordError: it is not whole.
        NewerRecordError: it is of another form than this version knows.
    """
    start = line.rfind(BEGIN)
    if start < 0:
        return None
    text = line[start:].rstrip()
    if not text.endswith(_END):
        raise TornRecordError
    try:
        value = cast("object", json.loads(text))
    except (ValueError, RecursionError) as error:
        raise TornRecordError from error
    if not isinstance(value, dict):
        raise TornRecordError
    if value.get("v") != _VERSION:
        raise NewerRecordError
    return Record(cast("Fields", value))
