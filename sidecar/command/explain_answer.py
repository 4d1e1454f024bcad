"""A logged question put again, and the answers of then beside those of now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import grpc
from authz.v1 import caller_pb2, decision_pb2, permission_pb2
from authz.v1.resource_pb2 import Requirement
from google.protobuf.message import Message

from sidecar.command.bare_json import Json, to_bare
from sidecar.command.client import Client
from sidecar.command.explain_calls import Call, Element, requirement_of
from sidecar.command.explain_question import (
    Again,
    CannotAskAgainError,
    refuse_masked,
    request_with,
)
from sidecar.command.failures import CallFailedError
from sidecar.core.decision import Decision, Denied
from sidecar.tools.decision_records import Fields, Record
from sidecar.transport.status import denial_of

# How many elements a server explains at once.
MOST_EXPLAINED: Final = 20
_EXPLAIN: Final = "explain"
_NOT_SERVED_HERE: Final = "NOT_SERVED_HERE"
# What a server says of a request whatever the facts are.
_ALWAYS: Final = frozenset({grpc.StatusCode.INVALID_ARGUMENT})
# What is for people, and no part of the answer; names are masked unless it is said.
_BESIDE: Final = frozenset({"message", "explanation", "name"})


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: what is compared, and the message that it came in."""

    fields: Fields
    message: Message | None = None

    @property
    def is_explained(self) -> bool:
        """Whether it says why."""
        return isinstance(
            self.message, decision_pb2.Decision | permission_pb2.Permissions
        ) and self.message.HasField("explanation")


@dataclass(frozen=True, slots=True)
class Now:
    """All answers of now.

    `explains` is false where the server does not explain, `context` is none where the
    answer does not say as which tenant the caller acts.
    """

    answers: Sequence[Answer]
    revision: str = ""
    decision_id: str = ""
    explains: bool = True
    context: caller_pb2.TenantContext | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """One answer of then beside that of now."""

    words: str
    then: Fields
    now: Answer
    requirement: Requirement | None = None

    @property
    def is_same(self) -> bool:
        """Whether the answer is what it was."""
        return self.then == self.now.fields


@dataclass(frozen=True, slots=True)
class _Asking:
    client: Client
    again: Again
    consistency: Mapping[str, Json]

    def ask_all(self) -> Now:
        """The answers about all of them, explained if there are not too many."""
        elements, explains = self.again.elements, self.again.call.explains
        return self.ask(elements, explain=explains and len(elements) <= MOST_EXPLAINED)

    def ask(self, elements: Sequence[Element], *, explain: bool) -> Now:
        """The answers about some of the elements."""
        again = self.again
        wanted = {**self.consistency, **({_EXPLAIN: True} if explain else {})}
        request = request_with(again, elements, wanted)
        call = again.call
        try:
            response = self.client.ask(call.rpc, request, call.response)
        except CallFailedError as failure:
            if explain and _is_about_explaining(failure):
                return replace(self.ask(elements, explain=False), explains=False)
            return Now([_status(failure, again.record)] * max(1, len(elements)))
        return Now(
            _answers(call, response),
            getattr(response, "revision", ""),
            getattr(response, "decision_id", ""),
            context=getattr(response, "context", None),
        )


def ask_now(client: Client, again: Again, consistency: Mapping[str, Json]) -> Now:
    """The answers of now, explained where they are not more than can be.

    Raises:
        CallFailedError: the call ended without an answer, and not as it did then.
    """
    return _Asking(client, again, consistency).ask_all()


def ask_again(
    client: Client, again: Again, consistency: Mapping[str, Json]
) -> tuple[Now, list[Compared]]:
    """The answers of now, each beside that of then.

    What differs is explained, or everything when nothing does: as many elements as
    a server explains at once.

    Raises:
        CallFailedError: the call ended without an answer, and not as it did then.
    """
    asking, elements = _Asking(client, again, consistency), again.elements
    now, explains = asking.ask_all(), again.call.explains
    compared = compare(again, now)
    if not explains or not now.explains or len(elements) <= MOST_EXPLAINED:
        return now, compared
    differing = [index for index, each in enumerate(compared) if not each.is_same]
    chosen = list(islice(differing or range(len(elements)), MOST_EXPLAINED))
    why = asking.ask([elements[index] for index in chosen], explain=True)
    for index, answer in zip(chosen, why.answers, strict=False):
        # Facts may change between two calls: only what explains this answer does.
        if answer.fields == compared[index].now.fields:
            compared[index] = replace(compared[index], now=answer)
    return replace(now, explains=why.explains), compared


def compare(again: Again, now: Now) -> list[Compared]:
    """Each answer of then beside that of now."""
    call, elements = again.call, again.elements
    wanted = [requirement_of(call, each) for each in elements] or [None]
    then = answers_of_then(again)
    return [
        Compared(*each)
        for each in zip(again.words(), then, now.answers, wanted, strict=True)
    ]


def answers_of_then(again: Again) -> list[Fields]:
    """What was answered to each element then.

    A call that ended with a status has that for each of them.

    Raises:
        CannotAskAgainError: the log does not have all of it.
    """
    record, call = again.record, again.call
    answer = [told(each) for each in record.answer]
    refuse_masked(record, {"answer": [dict(each) for each in answer]})
    if record.code != grpc.StatusCode.OK.name:
        status: Fields = {"code": record.code, "reason": record.reason}
        return (answer or [status]) * again.count
    if call.asked:
        found = answer if again.only is None else answer[again.only : again.only + 1]
    else:
        found = [_whole(call, answer)] if call.is_list else answer[:1]
    if len(found) != again.count:
        raise CannotAskAgainError("the log does not have all that was answered")
    return found


def _answers(call: Call, response: Message) -> list[Answer]:
    if call.holds:
        return [Answer({"allowed": True, "reason": call.holds})]
    if call.is_alone:
        # All of it but what tells when it was answered.
        return [Answer(told({**to_bare(response), "revision": ""}))]
    value = getattr(response, call.answered)
    if isinstance(value, Message):
        return [Answer(told(to_bare(value)), value)]
    answers = [Answer(told(to_bare(each)), each) for each in value]
    if call.asked:
        return answers
    return [Answer(_whole(call, [each.fields for each in answers]))]


def _whole(call: Call, answers: Sequence[Fields]) -> Fields:
    """A list that is one answer."""
    return {call.answered: [dict(each) for each in answers]}


def told(fields: Fields) -> Fields:
    """An answer as it is compared."""
    return {
        name: each
        for name, each in fields.items()
        if name not in _BESIDE and each is not None and each != ""
    }


def _status(failure: CallFailedError, record: Record) -> Answer:
    """A status that is an answer: a denial, or what the same request always gets.

    Raises:
        CallFailedError: it is none.
    """
    denied = denied_by(failure)
    if denied is not None:
        return Answer(denied)
    code = failure.code.name
    as_then = (record.code, record.reason) == (code, failure.reason)
    if failure.code in _ALWAYS and as_then:
        return Answer({"code": code, "reason": failure.reason})
    raise failure


def denied_by(failure: CallFailedError) -> Fields | None:
    """The denial with which a call ended; none when it ended with an error."""
    denied = denial_of(failure.code.name, failure.reason)
    return None if denied is None else decision_fields(denied)


def decision_fields(decision: Decision) -> Fields:
    """A decision as an answer."""
    reason = decision.reason.name
    if isinstance(decision, Denied):
        denial = decision.denial.name
        return {"allowed": False, "denial": denial, "reason": reason}
    return {"allowed": True, "reason": reason}


def _is_about_explaining(failure: CallFailedError) -> bool:
    return failure.reason == _NOT_SERVED_HERE and _EXPLAIN in failure.fields
