"""Requests to questions: everything about a request's shape is settled here.

Each function raises RefusedError that names the field by its path. Long, because it is
a list: one short function for each message, and what they share.
"""

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from enum import Enum, unique
from functools import lru_cache
from typing import TypeVar

from authz.v1 import caller_pb2, permission_pb2

from sidecar.core.ids import FeatureInstanceId, PrincipalId, UserId
from sidecar.core.model import RuleContext
from sidecar.core.permissions import PermissionQuery
from sidecar.core.reasons import Reason
from sidecar.core.rules import is_item
from sidecar.ports import AtLeast, Consistency, Freshness
from sidecar.service.asking import (
    Asked,
    Caller,
    NamedSubject,
    NamedUser,
    PresentedApiKey,
    PresentedToken,
)
from sidecar.transport.status import RefusedError, malformed, unknown_revision

E = TypeVar("E")

# UTF-8 has at most as many for one.
_BYTES_OF_A_CHARACTER = 4


@unique
class Callers(Enum):
    """Whom a listener believes."""

    ANY = "any"
    CREDENTIALS = "credentials"


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a request may be: bytes of UTF-8, and counts of elements."""

    id_bytes: int = 256
    item_bytes: int = 512
    item_segments: int = 32
    credential_bytes: int = 16 * 1024
    message_bytes: int = 4 * 1024 * 1024
    elements: int = 1000
    requirements: int = 32
    explained: int = 20

    @property
    def surely_id(self) -> int:
        """How many characters are within `id_bytes` whatever they are."""
        return self.id_bytes // _BYTES_OF_A_CHARACTER


@dataclass(frozen=True, slots=True)
class ListenerPolicy:
    """What one listener serves and believes."""

    callers: Callers = Callers.ANY
    explain: bool = True
    limits: Limits = Limits()


_REMEMBERED_CALLERS = 10_000
_REMEMBERED_BYTES = 512
_REVISION_BYTES = 256
# The same few items are asked for again and again; of 512 bytes at most.
_REMEMBERED_ITEMS = 4_096


def is_longer(text: str, limit: int) -> bool:
    """Whether `text` has more than `limit` bytes of UTF-8."""
    if len(text) * _BYTES_OF_A_CHARACTER <= limit:
        return False
    return len(text.encode()) > limit


def required(text: str, field: str, limit: int) -> str:
    """A text that must be there."""
    if not text:
        raise malformed(field, "must not be empty")
    if is_longer(text, limit):
        raise malformed(field, f"must be at most {limit} bytes")
    return text


def known(table: Mapping[int, E], value: int, field: str) -> E:
    """An enum's value that must be set and known."""
    found = table.get(value)
    if found is None:
        problem = "must be set" if value == 0 else f"is no known value: `{value}`"
        raise malformed(field, problem)
    return found


def counted(elements: Sized, field: str, most: int) -> None:
    """Refuses none, and too many."""
    if not 1 <= len(elements) <= most:
        raise malformed(field, f"must have 1 to {most} elements")


class CallerParser:
    """Parses callers of one listener, and remembers those that are only named."""

    def __init__(self, policy: ListenerPolicy) -> None:
        self._policy = policy
        self._remembered: dict[bytes, Caller] = {}

    def parse(self, message: caller_pb2.Caller) -> Caller:
        """Who asks."""
        data = message.SerializeToString()
        caller = self._remembered.get(data)
        if caller is None:
            caller = parse_caller(message, self._policy)
            is_named = isinstance(caller.identity, NamedUser | NamedSubject)
            # Fields that nobody knows can make a small caller a large message.
            if is_named and len(data) <= _REMEMBERED_BYTES:
                self._remember(data, caller)
        return caller

    def _remember(self, data: bytes, caller: Caller) -> None:
        if len(self._remembered) >= _REMEMBERED_CALLERS:
            self._remembered.clear()
        self._remembered[data] = caller


def explained(question: Asked, elements: Sized, policy: ListenerPolicy) -> Asked:
    """The same question, to be explained, which this listener must serve."""
    if not policy.explain:
        raise RefusedError(
            Reason.NOT_SERVED_HERE, "this listener does not explain", "explain"
        )
    if len(elements) > policy.limits.explained:
        most = policy.limits.explained
        raise malformed("explain", f"is served for at most {most} elements")
    return Asked(question.caller, question.consistency, question.deadline, explain=True)


def parse_caller(message: caller_pb2.Caller, policy: ListenerPolicy) -> Caller:
    """Who asks."""
    identity = message.WhichOneof("identity")
    limits = policy.limits
    organization = message.organization_id
    if is_longer(organization, limits.id_bytes):
        raise malformed(
            "caller.organization_id", f"must be at most {limits.id_bytes} bytes"
        )
    match identity:
        case None:
            raise malformed("caller", "must say who asks")
        case "user_id":
            pinned = _believed_pin(message, identity, policy)
            user_id = required(message.user_id, "caller.user_id", limits.id_bytes)
            return Caller(NamedUser(UserId(user_id), pinned), organization)
        case "subject":
            pinned = _believed_pin(message, identity, policy)
            return Caller(_subject(message.subject, pinned, limits), organization)
        case "api_key":
            text = _credential(message.api_key, message, "caller.api_key", limits)
            return Caller(PresentedApiKey(text), organization)
        case "access_token":
            token = message.access_token
            text = _credential(token, message, "caller.access_token", limits)
            return Caller(PresentedToken(text), organization)


def _believed_pin(
    message: caller_pb2.Caller, identity: str, policy: ListenerPolicy
) -> PrincipalId | None:
    if policy.callers is not Callers.ANY:
        raise RefusedError(
            Reason.NOT_SERVED_HERE,
            "this listener believes credentials only",
            f"caller.{identity}",
        )
    if not message.HasField("pinned_principal_id"):
        return None
    field = "caller.pinned_principal_id"
    limit = policy.limits.id_bytes
    return PrincipalId(required(message.pinned_principal_id, field, limit))


def _subject(
    message: caller_pb2.Subject, pinned: PrincipalId | None, limits: Limits
) -> NamedSubject:
    return NamedSubject(
        required(message.issuer, "caller.subject.issuer", limits.item_bytes),
        required(message.subject, "caller.subject.subject", limits.item_bytes),
        pinned,
    )


def _credential(text: str, of: caller_pb2.Caller, field: str, limits: Limits) -> str:
    if of.HasField("pinned_principal_id"):
        raise malformed("caller.pinned_principal_id", "goes with a named caller only")
    return required(text, field, limits.credential_bytes)


def parse_consistency(message: caller_pb2.Consistency) -> Freshness:
    """How fresh the facts must be."""
    match message.WhichOneof("requirement"):
        case "minimize_latency":
            _must_be_true(message.minimize_latency, "consistency.minimize_latency")
            return Consistency.MINIMIZE_LATENCY
        case "fully_consistent":
            _must_be_true(message.fully_consistent, "consistency.fully_consistent")
            return Consistency.FULLY_CONSISTENT
        case "at_least_as_fresh":
            return AtLeast(_revision(message.at_least_as_fresh))
        case None:
            raise malformed("consistency", "must say what is wanted")


def _must_be_true(value: bool, field: str) -> None:  # noqa: FBT001  a field's value
    if not value:
        raise malformed(field, "must be true when it is set")


def _revision(text: str) -> str:
    if not text or is_longer(text, _REVISION_BYTES):
        raise unknown_revision()
    return text


RULE_CONTEXTS: dict[int, RuleContext] = {
    permission_pb2.RULE_CONTEXT_DATA: RuleContext.DATA,
    permission_pb2.RULE_CONTEXT_UI: RuleContext.UI,
    permission_pb2.RULE_CONTEXT_RESOURCE: RuleContext.RESOURCE,
}


def parse_queries(
    messages: Sequence[permission_pb2.PermissionQuery],
    caller: Caller,
    limits: Limits,
) -> list[PermissionQuery]:
    """The queries of GetPermissions."""
    counted(messages, "queries", limits.elements)
    return _whole_queries(messages, limits) or [
        parse_query(message, f"queries[{index}]", caller, limits)
        for index, message in enumerate(messages)
    ]


def _whole_queries(
    messages: Sequence[permission_pb2.PermissionQuery], limits: Limits
) -> list[PermissionQuery] | None:
    """The queries if each surely is as it must be and names no instance.

    Nearly all do, and then this takes a third of the time.
    """
    queries: list[PermissionQuery] = []
    for message in messages:
        context, item = RULE_CONTEXTS.get(message.context), message.item
        if context is None or not item or message.HasField("feature_instance_id"):
            return None
        if not _is_item_within(item, limits):
            return None
        queries.append(PermissionQuery(context, item, None))
    return queries


def parse_query(
    message: permission_pb2.PermissionQuery, path: str, caller: Caller, limits: Limits
) -> PermissionQuery:
    """What is asked of roles."""
    context = known(RULE_CONTEXTS, message.context, f"{path}.context")
    item: str | None = None
    if message.HasField("item"):
        item = parse_item(message.item, f"{path}.item", limits)
    instance: FeatureInstanceId | None = None
    if message.HasField("feature_instance_id"):
        field = f"{path}.feature_instance_id"
        named = required(message.feature_instance_id, field, limits.id_bytes)
        if _has_no_organization(caller):
            raise malformed(field, "needs an organization as the caller's context")
        instance = FeatureInstanceId(named)
    return PermissionQuery(context, item, instance)


def parse_item(text: str, field: str, limits: Limits) -> str:
    """An item: segments without blanks, joined by dots."""
    if _is_item_within(text, limits):
        return text
    required(text, field, limits.item_bytes)
    if not is_item(text):
        raise malformed(
            field, "must be non-empty segments without blanks, joined by `.`"
        )
    raise malformed(field, f"must have at most {limits.item_segments} segments")


def _is_item_within(text: str, limits: Limits) -> bool:
    # What is too long for certain is not remembered: it could be the whole message.
    return len(text) <= limits.item_bytes and _is_known_item(
        text, limits.item_bytes, limits.item_segments
    )


@lru_cache(maxsize=_REMEMBERED_ITEMS)
def _is_known_item(text: str, most_bytes: int, most_segments: int) -> bool:
    if is_longer(text, most_bytes) or text.count(".") >= most_segments:
        return False
    return is_item(text)


def _has_no_organization(caller: Caller) -> bool:
    match caller.identity:
        case NamedUser(_, pinned) | NamedSubject(_, _, pinned):
            return pinned is None and not caller.requested_organization
        case PresentedToken():
            return not caller.requested_organization
        case PresentedApiKey():
            # Whether a key is pinned is known only once it has been looked up.
            return False
