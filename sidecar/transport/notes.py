"""What is noted of a call while it is answered, so that it can be logged after.

Whatever costs time is left for later, on another thread: a note only refers to it.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

import grpc
from typing_extensions import override

from sidecar.audit.record import Outcome
from sidecar.core.authorize import Requirement
from sidecar.core.decision import Decision, Denied
from sidecar.core.model import TenantContext
from sidecar.edge.admission import Admission
from sidecar.edge.request import EdgeRequest
from sidecar.edge.verdict import Admitted, Verdict
from sidecar.ports import Authenticated, Clock, FactSource, Verifiers
from sidecar.service.asking import Authorized, Caller, Policy
from sidecar.service.witnessing import Witness, WitnessedAuthorization
from sidecar.transport.ext_authz import EdgeBacking, ExtAuthzServicer
from sidecar.transport.grpc_api import AuthorizationServicer, DecisionCounter
from sidecar.transport.guards import CallObserver
from sidecar.transport.status import denial_of

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from grpc import aio

Context: TypeAlias = "aio.ServicerContext[Message, Message]"
Answer: TypeAlias = Callable[["Message", Context], Awaitable["Message"]]

# The calls that decide something about somebody.
DECISIONS: Final = (
    "ResolveContext", "ListContexts", "CheckVisible", "CheckWritable",
    "CheckCreatable", "CheckRole", "GetPermissions", "Authorize", "GetListFilter",
)  # fmt: skip

_OK = grpc.StatusCode.OK.name
# What a note weighs beside its messages, in bytes.
_NOTE_BYTES = 1_024


class Note:
    """A call: what is known of it so far; none for what never came to be known."""

    # As attributes of the class these cost a call nothing.
    response: "Message | None" = None
    caller: Caller | None = None
    proved: Authenticated | None = None
    context: TenantContext | Denied | None = None
    requirements: Sequence[Requirement] | None = None
    authorized: Authorized | None = None
    decisions: Sequence[Decision] = ()
    verdict: Verdict | None = None
    outcome = Outcome.ERROR
    code = ""
    reason = ""
    seconds = 0.0
    weight = _NOTE_BYTES

    def __init__(
        self, rpc: str, listener: str, request: "Message", peer: str, began: float
    ) -> None:
        self.rpc = rpc
        self.listener = listener
        self.request = request
        self.peer = peer
        self.began = began


class Notebook(Protocol):
    """Takes notes of calls that have ended; never waits."""

    def add(self, entry: Note) -> None:
        """Takes a note, which nobody changes any more."""
        ...


_NOTE: ContextVar[Note | None] = ContextVar("note", default=None)


class Recorder(Witness, CallObserver, DecisionCounter):
    """Notes calls: stands between those who tell of them and those who count them."""

    def __init__(
        self,
        notebook: Notebook,
        observer: CallObserver,
        counter: DecisionCounter,
        clock: Clock,
    ) -> None:
        self._notebook = notebook
        self._observer = observer
        self._counter = counter
        self._wall = clock.wall

    def record_api(self, servicer: AuthorizationServicer, listener: str) -> None:
        """Has the decisions that a servicer makes noted from now on."""
        for rpc in DECISIONS:
            answer = self._around(rpc, listener, getattr(servicer, rpc))
            setattr(servicer, rpc, answer)

    def record_edge(self, servicer: ExtAuthzServicer, listener: str) -> None:
        """Has what Envoy asks noted from now on."""
        check = self._around("Check", listener, servicer.Check)  # type: ignore[arg-type]  # of one message
        setattr(servicer, "Check", check)  # noqa: B010  a handler is no attribute

    def service(
        self, source: FactSource, verifiers: Verifiers, policy: Policy
    ) -> WitnessedAuthorization:
        """A service that tells what to note."""
        return WitnessedAuthorization(source, verifiers, policy, self)

    @staticmethod
    def edge(backing: EdgeBacking) -> EdgeBacking:
        """The same edge, whose verdicts are noted."""
        known = backing.admission
        noted = _NotedAdmission(
            known.service, known.rule_sets, known.peers, known.clock, known.limits
        )
        return replace(backing, admission=noted)

    def _around(self, rpc: str, listener: str, answer: Answer) -> Answer:
        wall = self._wall

        async def noted(request: "Message", context: Context) -> "Message":
            note = Note(rpc, listener, request, context.peer(), wall())
            _NOTE.set(note)
            response = note.response = await answer(request, context)
            return response

        return noted

    @override
    def asked(self, caller: Caller) -> None:
        note = _NOTE.get()
        if note is not None:
            note.caller = caller

    @override
    def proved(self, claimed: Authenticated) -> None:
        note = _NOTE.get()
        if note is not None:
            note.proved = claimed

    @override
    def resolved(self, context: TenantContext | Denied) -> None:
        note = _NOTE.get()
        if note is not None:
            note.context = context

    @override
    def authorized(
        self, requirements: Sequence[Requirement], found: Authorized
    ) -> None:
        note = _NOTE.get()
        if note is not None:
            note.requirements, note.authorized = requirements, found

    @override
    def decided(self, rpc: str, decisions: Sequence[Decision]) -> None:
        self._counter.decided(rpc, decisions)
        note = _NOTE.get()
        if note is not None:
            note.decisions = decisions

    @override
    def called(self, rpc: str, code: str, reason: str, seconds: float) -> None:
        self._observer.called(rpc, code, reason, seconds)
        note = _NOTE.get()
        # What was turned away unread, or could not be read, is no question.
        if note is None:
            return
        _NOTE.set(None)
        note.code, note.reason, note.seconds = code, reason, seconds
        note.outcome = _outcome(note)
        response = note.response
        answered = 0 if response is None else response.ByteSize()
        note.weight = _NOTE_BYTES + note.request.ByteSize() + answered
        self._notebook.add(note)

    @override
    def ended(self, rpc: str, code: str, reason: str) -> None:
        self._observer.ended(rpc, code, reason)


def _outcome(note: Note) -> Outcome:
    if note.code != _OK:
        denial = denial_of(note.code, note.reason)
        return Outcome.ERROR if denial is None else Outcome.DENIED
    verdict = note.verdict
    if verdict is not None:
        return Outcome.ALLOWED if isinstance(verdict, Admitted) else Outcome.DENIED
    for decision in note.decisions:
        if isinstance(decision, Denied):
            return Outcome.DENIED
    return Outcome.ALLOWED


@dataclass(frozen=True, slots=True)
class _NotedAdmission(Admission):
    @override
    async def judge(self, request: EdgeRequest, deadline: float) -> Verdict:
        verdict = await Admission.judge(self, request, deadline)
        note = _NOTE.get()
        if note is not None:
            note.verdict = verdict
        return verdict
