"""A logged decision of the edge, put again to the API.

What a request needed is in the log, as requirements. These are asked as they were, or,
with the file of routes, as the routes of now have them.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from authz.v1 import authorization_service_pb2 as pb
from authz.v1 import caller_pb2, resource_pb2

from sidecar.command.bare_json import Json, from_bare
from sidecar.command.client import Client
from sidecar.command.explain_answer import (
    Answer,
    Compared,
    Now,
    ask_again,
    ask_now,
    decision_fields,
    denied_by,
    told,
)
from sidecar.command.explain_calls import CALLS, Element
from sidecar.command.explain_demands import (
    CREATABLE,
    created,
    other_demands,
    sent,
)
from sidecar.command.explain_question import (
    Again,
    CannotAskAgainError,
    again_with,
    caller_of,
    refuse_cut,
    refuse_masked,
)
from sidecar.command.failures import CallFailedError
from sidecar.command.problems import OptionError
from sidecar.edge.compiling import RoutesError
from sidecar.edge.sending import is_value
from sidecar.settings import SettingsError, load
from sidecar.tools.decision_records import Fields, Record
from sidecar.tools.edge_again import Request, RequestUnknownError, Ruled, rule

_HEADERS: Final = "what the headers had"
# What the edge says for what the log does not have.
_UNLOGGED: Final = {
    "REPEATED_HEADER": _HEADERS,
    "TWO_CREDENTIALS": _HEADERS,
    "INVALID_CREDENTIAL": "the credential",
    "UNKNOWN_RULE_SET": "the name of the rule set",
}
# What it says without asking whether anything holds.
_ITS_OWN: Final = frozenset(
    {
        "PATH_NOT_CANONICAL",
        "NO_ROUTE",
        "UNKNOWN_RULE_SET",
        "CREDENTIAL_MISSING",
        "VALUE_NOT_USABLE",
        "IDENTITY_NOT_SENDABLE",
    }
)
_REQUIREMENTS: Final = "requirements"
_AUTHORIZE: Final = CALLS["Authorize"]
_MISSING: Final = "CREDENTIAL_MISSING"
_ALL_HOLD: Final = "ALL_HOLD"
# An id where only that there is one counts.
_SOMEBODYS: Final = "0"
_AS_THEN: Final = (
    "judged by what the route demanded then: --routes judges by those of now"
)
_PASSED: Final = "the request passed then all the same: the rule set only watched"
_WATCHES: Final = "a denial lets the request pass all the same: the rule set watches"
# A route that demands nothing lets everybody pass who is somebody.
_SOMEBODY: Final = replace(CALLS["ResolveContext"], holds=_ALL_HOLD)


@dataclass(frozen=True, slots=True)
class Routing:
    """The file of routes by which requests are judged now, and the settings."""

    routes: Path
    config: Path | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision of the edge, then and now; `now` is none when no server was asked."""

    caller: caller_pb2.Caller
    compared: Sequence[Compared]
    notes: Sequence[str]
    proved: bool = False
    now: Now | None = None


@dataclass(frozen=True, slots=True)
class EdgeAgain:
    """A logged request that can be judged again, as a caller; empty for nobody."""

    record: Record
    caller: dict[str, Json]
    proved: bool
    client: Client
    consistency: dict[str, Json]
    only: int | None = None

    def judge(self, routing: Routing | None) -> Judged:
        """The answer of now beside that of then.

        Raises:
            CannotAskAgainError: the log does not have all that it takes.
            CallFailedError: the call ended without an answer.
            OptionError: the routes or the settings cannot be used.
        """
        then = _wanted_then(self.record)
        if routing is None:
            if then is None:
                raise CannotAskAgainError(
                    f"the edge decided it by itself, for `{self.record.reason}`: name "
                    "the routes, --routes, to have it judged by those of now"
                )
            return self._ask(then, [_AS_THEN])
        ruled = self._ruled(routing)
        notes = [_WATCHES] if ruled.only_watches else []
        if ruled.decision is not None:
            now = Answer(decision_fields(ruled.decision))
            return self._judged([self._verdict(now)], notes)
        wanted = [sent(each) for each in ruled.requirements]
        if wanted == then:
            return self._ask(wanted, notes)
        return self._ask_verdict(wanted, [*notes, other_demands(then, wanted)])

    def _ask(self, wanted: list[Fields], notes: list[str]) -> Judged:
        again = self._again(wanted)
        now, compared = ask_again(self.client, again, self.consistency)
        _refuse_unsendable(now)
        if not wanted:
            compared = [replace(each, words=words_of(self.record)) for each in compared]
        return self._judged(compared, notes, now)

    def _ask_verdict(self, wanted: list[Fields], notes: list[str]) -> Judged:
        again = self._again(wanted)
        now = ask_now(self.client, again, self.consistency)
        _refuse_unsendable(now)
        return self._judged([self._verdict(_verdict(again, now))], notes, now)

    def _again(self, wanted: list[Fields]) -> Again:
        if not wanted:
            call, fields = _SOMEBODY, {}
        else:
            call, fields = _AUTHORIZE, {_REQUIREMENTS: self._owned(wanted)}
        again = Again(self.record, call, call.request(), self.proved, self.only)
        return again_with(again, fields, self.caller)

    def _owned(self, wanted: list[Fields]) -> list[Json]:
        """With the owner that the caller would create for, as the edge has it."""
        if not any(CREATABLE in each for each in wanted):
            return [dict(each) for each in wanted]
        fields = {"caller": self.caller, **self.consistency}
        request = from_bare(fields, pb.ResolveContextRequest)
        try:
            response = self.client.ask(
                "ResolveContext", request, pb.ResolveContextResponse
            )
        except CallFailedError as failure:
            if denied_by(failure) is None:
                raise
            # Whoever acts nowhere is denied for that, whatever it would create.
            return [created(each, _SOMEBODYS) for each in wanted]
        return [created(each, response.context.write_principal_id) for each in wanted]

    def _ruled(self, routing: Routing) -> Ruled:
        record, edge = self.record, self.record.edge
        method, caller = _text(edge, "method"), self.caller
        # What a preflight is, headers say.
        is_preflight = method == "OPTIONS" and not _text(edge, "route")
        unlogged = _HEADERS if is_preflight else _UNLOGGED.get(record.reason)
        if unlogged is not None and not caller:
            raise CannotAskAgainError(f"{unlogged} that decided it is not in the log")
        refuse_masked(record, {"edge": dict(edge)})
        request = Request(
            method,
            _text(edge, "path"),
            _text(edge, "rule_set"),
            _text(caller, "user_id") or (_SOMEBODYS if caller else None),
            _text(caller, "pinned_principal_id") or None,
            _text(caller, "organization_id"),
        )
        try:
            settings = load(routing.config)
            ruled = asyncio.run(rule(settings, routing.routes, request))
        except RequestUnknownError as error:
            raise CannotAskAgainError(str(error)) from error
        except (RoutesError, SettingsError) as error:
            raise OptionError(str(error)) from error
        # Where the edge did not look for a credential, there may have been one.
        if not caller and record.reason != _MISSING and not ruled.is_open:
            raise CannotAskAgainError(
                "the route of now asks who calls, and that was not looked at then"
            )
        return ruled

    def _verdict(self, now: Answer) -> Compared:
        if self.only is not None:
            raise CannotAskAgainError("it is judged as a whole: ask without the number")
        return Compared(words_of(self.record), _verdict_then(self.record), now)

    def _judged(
        self, compared: Sequence[Compared], notes: Sequence[str], now: Now | None = None
    ) -> Judged:
        if self.record.edge.get("shadowed") is True:
            notes = [_PASSED, *notes]
        caller = from_bare(self.caller, caller_pb2.Caller)
        return Judged(caller, compared, notes, self.proved, now)


def edge_again(
    record: Record, client: Client, consistency: dict[str, Json], only: int | None
) -> EdgeAgain:
    """The request of a record of the edge.

    Raises:
        CannotAskAgainError: the record does not have all that it takes.
    """
    refuse_cut(record, _AUTHORIZE)
    refuse_masked(record, {"question": dict(record.question)})
    if record.caller:
        caller, proved = caller_of(record)
        return EdgeAgain(record, caller, proved, client, consistency, only)
    return EdgeAgain(record, {}, False, client, consistency, only)  # noqa: FBT003  nobody


def words_of(record: Record) -> str:
    """The request, as it is written in tests of routes."""
    return f"{_text(record.edge, 'method')} {_text(record.edge, 'path')}"


def _wanted_then(record: Record) -> list[Fields] | None:
    found = record.question.get(_REQUIREMENTS)
    if not isinstance(found, list) or record.reason in _ITS_OWN:
        return None
    return [sent(each) for each in found if isinstance(each, dict)]


def _verdict(again: Again, now: Now) -> Answer:
    """What all answers together come to: the first denial, of visibility before all."""
    denials = [
        (not is_visibility, index)
        for index, (each, is_visibility) in enumerate(
            zip(now.answers, map(_is_visibility, again.elements), strict=False)
        )
        if each.fields.get("allowed") is not True
    ]
    if not denials:
        return Answer({"allowed": True, "reason": _ALL_HOLD})
    return now.answers[min(denials)[1]]


def _refuse_unsendable(now: Now) -> None:
    """Refuses what the API allows, and the edge denies whatever a route demands."""
    context = now.context
    if context is None:
        return
    ids = [context.user_id, context.write_principal_id]
    if context.HasField("current_principal_id"):
        ids.append(context.current_principal_id)
    if context.user_id and not all(map(is_value, ids)):
        raise CannotAskAgainError(
            "an id of the caller cannot stand in a header, so the edge denies it now"
        )


def _is_visibility(element: Element) -> bool:
    return isinstance(element, resource_pb2.Requirement) and element.HasField("visible")


def _verdict_then(record: Record) -> Fields:
    if record.outcome == "allowed":
        return {"allowed": True, "reason": record.reason}
    for each in record.answer:
        if each.get("reason") == record.reason and each.get("allowed") is False:
            return told(each)
    return {"code": record.code, "reason": record.reason}


def _text(fields: Fields, name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
