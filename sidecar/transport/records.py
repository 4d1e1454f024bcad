"""From a note to a record: what is logged of a call, in its order.

Only here is it decided what of a request is told. Credentials never are: of a caller
no more than which kind of credential it has shown, of a request at the edge neither
headers nor what follows the path.
"""

import itertools
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, assert_never

from authz.v1 import authorization_service_pb2 as api
from authz.v1 import decision_pb2
from google.protobuf.message import Message

from sidecar.audit.record import Json, Record
from sidecar.core.decision import Decision, Denied
from sidecar.core.model import TenantContext
from sidecar.edge.verdict import Admitted, Refused, Shadowed, Verdict, decision_of
from sidecar.service.asking import (
    Caller,
    NamedSubject,
    NamedUser,
    PresentedApiKey,
    PresentedToken,
)
from sidecar.transport.answers import tenant_context
from sidecar.transport.bare import bare
from sidecar.transport.envoy import external_auth_pb2 as envoy
from sidecar.transport.notes import Note
from sidecar.transport.status import denial_of
from sidecar.transport.wanted import wanted

VERSION: Final = 1
MASKED: Final = "<masked>"
_CREDENTIALS: Final = ("api_key", "access_token")
# Clusters of all remembered contexts together, and how many a context counts for.
_REMEMBERED_WEIGHT: Final = 50_000
_CONTEXT_WEIGHT: Final = 20
_Fields = dict[str, Json]


class Records:
    """Makes records, on one thread."""

    def __init__(self) -> None:
        # For the calls whose answer has no id.
        self._prefix = secrets.token_hex(6)
        self._numbers = itertools.count(1)
        # Contexts are remembered, so that the same ones come again and again.
        self._contexts: dict[int, tuple[TenantContext, _Fields]] = {}
        self._weight = 0

    def of(self, note: Note) -> Record:
        """The record of a call that has ended."""
        request, response = note.request, note.response
        at_edge = isinstance(request, envoy.CheckRequest)
        caller = _edge_caller(note.caller) if at_edge else _api_caller(request)
        answer = _edge_answer(note) if at_edge else _answer(response, note)
        record: Record = {
            "v": VERSION,
            "time": _written(note.began),
            "decision_id": _decision_id(response) or self._decision_id(),
            "source": "edge" if at_edge else "api",
            "rpc": note.rpc,
            "outcome": note.outcome.value,
            "reason": _reason(note, answer),
            "code": note.code,
            "caller": caller,
            "proved": _proved(note),
            "context": self._context(note.context),
            "question": _edge_question(note) if at_edge else _question(request),
            "answer": answer,
            "revision": _revision(note),
            "seconds": round(note.seconds, 6),
            "listener": note.listener,
            "peer": note.peer,
        }
        if isinstance(request, envoy.CheckRequest):
            record["edge"] = _edge(request, note.verdict)
        record["masked"] = [name for name in _CREDENTIALS if name in caller]
        return record

    def _decision_id(self) -> str:
        return f"{self._prefix}-{next(self._numbers):x}"

    def _context(self, context: TenantContext | Denied | None) -> Json:
        if not isinstance(context, TenantContext):
            return None
        known = self._contexts.get(id(context))
        if known is not None:
            return known[1]
        told = bare(tenant_context(context))
        self._weight += _CONTEXT_WEIGHT + len(context.accessible_cluster_ids)
        if self._weight > _REMEMBERED_WEIGHT:
            self._contexts.clear()
            self._weight = 0
        # Held, so that nothing else gets its number.
        self._contexts[id(context)] = (context, told)
        return told


def _written(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='microseconds')}Z"


def _decision_id(response: Message | None) -> str:
    """As the answer has it, so that whoever was answered finds the record."""
    if isinstance(response, envoy.CheckResponse):
        return response.dynamic_metadata.fields["decision_id"].string_value
    found: str = getattr(response, "decision_id", "")
    return found


def _api_caller(request: Message) -> _Fields:
    caller: Message = getattr(request, "caller")  # noqa: B009  each request has one
    told = bare(caller)
    for name in _CREDENTIALS:
        if name in told:
            told[name] = MASKED
    return told


def _edge_caller(caller: Caller | None) -> _Fields:
    if caller is None:
        return {}
    told = _identity(caller)
    if caller.requested_organization:
        told["organization_id"] = caller.requested_organization
    return told


def _identity(caller: Caller) -> _Fields:
    match caller.identity:
        case NamedUser(user_id, pinned):
            return {"user_id": user_id, **_pinned(pinned)}
        case NamedSubject(issuer, subject, pinned):
            named: _Fields = {"issuer": issuer, "subject": subject}
            return {"subject": named, **_pinned(pinned)}
        case PresentedApiKey():
            return {"api_key": MASKED}
        case PresentedToken():
            return {"access_token": MASKED}
        case _:
            assert_never(caller.identity)


def _pinned(principal_id: str | None) -> _Fields:
    return {} if principal_id is None else {"pinned_principal_id": principal_id}


def _proved(note: Note) -> Json:
    """Who the caller is, where it did not say so itself."""
    if note.caller is None:
        return None
    identity, proved = note.caller.identity, note.proved
    if isinstance(identity, NamedUser):
        return None
    if proved is not None:
        pinned = proved.pinned_principal_id
        return {"user_id": proved.user_id, "pinned_principal_id": pinned}
    if isinstance(identity, NamedSubject) and isinstance(note.context, TenantContext):
        # It was looked up before, and remembered since.
        pinned = identity.pinned_principal_id
        return {"user_id": note.context.user.id, "pinned_principal_id": pinned}
    return None


def _question(request: Message) -> _Fields:
    told = bare(request)
    told.pop("caller", None)
    return told


def _answer(  # noqa: PLR0911  one for each kind
    response: Message | None, note: Note
) -> list[Json]:
    match response:
        case None:
            denial = denial_of(note.code, note.reason)
            return [] if denial is None else [_decision(denial)]
        case (
            api.CheckVisibleResponse()
            | api.CheckWritableResponse()
            | api.CheckCreatableResponse()
        ):
            return [_told(each) for each in response.decisions]
        case api.CheckRoleResponse():
            return [_told(response.decision)]
        case api.AuthorizeResponse():
            each = response.decisions or [response.decision]
            return [_told(decision) for decision in each]
        case api.GetPermissionsResponse():
            return [_without(bare(each)) for each in response.permissions]
        case api.ListContextsResponse():
            return [bare(each) for each in response.contexts]
        case api.ResolveContextResponse():
            return [bare(response.context)]
        case _:
            return [_without(bare(response), "revision")]


def _without(fields: _Fields, name: str = "explanation") -> _Fields:
    fields.pop(name, None)
    return fields


_TOLD: dict[tuple[int, int], _Fields] = {}


def _told(decision: decision_pb2.Decision) -> _Fields:
    key = (decision.denial, decision.reason)
    told = _TOLD.get(key)
    if told is None:
        found = bare(decision)
        told = _TOLD[key] = {
            "allowed": decision.allowed,
            "denial": found.get("denial"),
            "reason": found.get("reason"),
        }
    return told


def _decision(decision: Decision) -> _Fields:
    if isinstance(decision, Denied):
        denial, reason = decision.denial.name, decision.reason.name
        return {"allowed": False, "denial": denial, "reason": reason}
    return {"allowed": True, "denial": None, "reason": decision.reason.name}


def _reason(note: Note, answer: Sequence[Json]) -> Json:
    if note.reason:
        return note.reason
    if isinstance(note.response, api.AuthorizeResponse):
        return _told(note.response.decision)["reason"]
    if note.verdict is not None:
        return decision_of(note.verdict).reason.name
    told = [each for each in answer if isinstance(each, dict) and "reason" in each]
    denied = [each for each in told if each["allowed"] is False]
    return (denied or told)[0]["reason"] if told else None


def _revision(note: Note) -> str | None:
    match note.verdict:
        case None:
            revision: str = getattr(note.response, "revision", "")
            return revision or None
        case Admitted() | Refused():
            return note.verdict.revision
        case Shadowed():
            return note.verdict.refused.revision


def _edge_question(note: Note) -> Json:
    if note.requirements is None or note.authorized is None:
        return None
    return {"requirements": wanted(note.requirements, note.authorized.context)}


def _edge_answer(note: Note) -> list[Json]:
    """What each requirement came to, or what the edge decided on its own."""
    if note.verdict is None:
        return []
    judged = decision_of(note.verdict)
    found = note.authorized
    each = [] if found is None else found.each.decisions
    if isinstance(judged, Denied) and judged not in each:
        each = []
    return [_decision(decision) for decision in each or [judged]]


def _edge(request: envoy.CheckRequest, verdict: Verdict | None) -> _Fields:
    http = request.attributes.request.http
    path = http.path.decode("latin-1").partition("?")[0].partition("#")[0]
    return {
        "method": http.method.decode("latin-1"),
        "path": path,
        "rule_set": "" if verdict is None else verdict.where.rule_set,
        "route": "" if verdict is None else verdict.where.route,
        "shadowed": isinstance(verdict, Shadowed),
    }
