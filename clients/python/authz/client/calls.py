"""Each question of the API as a call: what is sent, and how its answer is read.

A call knows nothing of sockets, so that the clients differ in waiting alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypedDict, TypeVar, Unpack

from google.protobuf.message import Message

from authz.client import answers, filters, reading
from authz.client.errors import InvalidRequestError
from authz.client.questions import (
    AccessRule,
    Caller,
    NewResource,
    PermissionQuery,
    Requirement,
    Resource,
    RoleGate,
    SqlOptions,
)
from authz.v1 import authorization_service_pb2 as api
from authz.v1 import caller_pb2

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)
_SERVICE = "/authz.v1.AuthorizationService"


class Fresh(TypedDict, total=False):
    """How fresh an answer is to be, and how long to wait for it.

    `at_least_as_fresh` is a revision; `fully_consistent` reads one snapshot of the
    database. Only one of the two. `timeout` in seconds replaces that of the client.
    """

    at_least_as_fresh: str
    fully_consistent: bool
    timeout: float


class Explained(Fresh, total=False):
    """The same, and whether the answer is to say why."""

    explain: bool


@dataclass(frozen=True, slots=True)
class Options:
    """Options with their defaults; a misspelt one is a TypeError, never ignored."""

    at_least_as_fresh: str | None = None
    fully_consistent: bool = False
    explain: bool = False
    timeout: float | None = None

    def __post_init__(self) -> None:
        if self.fully_consistent and self.at_least_as_fresh is not None:
            raise ValueError("only one of `at_least_as_fresh`, `fully_consistent`")

    @property
    def consistency(self) -> caller_pb2.Consistency | None:
        """The message; none asks for the answer that is quickest."""
        if self.at_least_as_fresh is not None:
            return caller_pb2.Consistency(at_least_as_fresh=self.at_least_as_fresh)
        if self.fully_consistent:
            return caller_pb2.Consistency(fully_consistent=True)
        return None


@dataclass(frozen=True, slots=True)
class Call(Generic[A_co]):
    """A question that is ready to be sent.

    `is_lasting`: the answer stays true until a fact changes, and says whose it is. One
    with a credential does not: it expires by a clock.
    """

    method: str
    request: bytes
    read: Callable[[bytes], A_co]
    timeout: float | None = None
    is_lasting: bool = False

    @property
    def path(self) -> str:
        """The path of the method."""
        return f"{_SERVICE}/{self.method}"


def resolve_context(
    caller: Caller, **options: Unpack[Fresh]
) -> Call[answers.ResolvedContext]:
    """As which tenant the caller acts; ends with an error where as none."""
    chosen = Options(**options)
    request = _sent(
        lambda: api.ResolveContextRequest(
            caller=caller.message(), consistency=chosen.consistency
        )
    )
    return Call("ResolveContext", request, reading.resolved_context, chosen.timeout)


def list_contexts(
    caller: Caller, **options: Unpack[Fresh]
) -> Call[answers.AvailableContexts]:
    """The tenants as which the caller may act."""
    chosen = Options(**options)
    request = _sent(
        lambda: api.ListContextsRequest(
            caller=caller.message(), consistency=chosen.consistency
        )
    )
    return Call("ListContexts", request, reading.available_contexts, chosen.timeout)


def check_visible(
    caller: Caller, *resources: Resource, **options: Unpack[Explained]
) -> Call[answers.Decisions]:
    """Whether the caller may see each resource; 1 to 1,000 in one call."""
    chosen = Options(**options)
    request = _sent(
        lambda: api.CheckVisibleRequest(
            caller=caller.message(),
            resources=[each.message() for each in resources],
            consistency=chosen.consistency,
            explain=chosen.explain,
        )
    )
    read = partial(reading.decisions, api.CheckVisibleResponse, len(resources))
    return _judged("CheckVisible", request, read, caller, chosen)


def check_writable(
    caller: Caller,
    *resources: Resource,
    skip_visible: bool = False,
    **options: Unpack[Explained],
) -> Call[answers.Decisions]:
    """Whether the caller may change each resource; 1 to 1,000 in one call.

    `skip_visible` says that visibility was checked already.
    """
    chosen = Options(**options)
    request = _sent(
        lambda: api.CheckWritableRequest(
            caller=caller.message(),
            resources=[each.message() for each in resources],
            skip_visible=skip_visible,
            consistency=chosen.consistency,
            explain=chosen.explain,
        )
    )
    read = partial(reading.decisions, api.CheckWritableResponse, len(resources))
    return _judged("CheckWritable", request, read, caller, chosen)


def check_creatable(
    caller: Caller, *resources: NewResource, **options: Unpack[Explained]
) -> Call[answers.Decisions]:
    """Whether the caller may create each resource; 1 to 1,000 in one call."""
    chosen = Options(**options)
    request = _sent(
        lambda: api.CheckCreatableRequest(
            caller=caller.message(),
            resources=[each.message() for each in resources],
            consistency=chosen.consistency,
            explain=chosen.explain,
        )
    )
    read = partial(reading.decisions, api.CheckCreatableResponse, len(resources))
    return _judged("CheckCreatable", request, read, caller, chosen)


def check_role(
    caller: Caller, gate: RoleGate, **options: Unpack[Explained]
) -> Call[answers.CheckedRole]:
    """Whether the caller passes a gate."""
    chosen = Options(**options)
    request = _sent(
        lambda: api.CheckRoleRequest(
            caller=caller.message(),
            gate=gate.message(),
            consistency=chosen.consistency,
            explain=chosen.explain,
        )
    )
    return _judged("CheckRole", request, reading.checked_role, caller, chosen)


def get_permissions(
    caller: Caller, *queries: PermissionQuery, **options: Unpack[Explained]
) -> Call[answers.PermissionsList]:
    """What the caller's roles allow for each query; 1 to 1,000 in one call."""
    chosen = Options(**options)
    request = _sent(
        lambda: api.GetPermissionsRequest(
            caller=caller.message(),
            queries=[each.message() for each in queries],
            consistency=chosen.consistency,
            explain=chosen.explain,
        )
    )
    read = partial(reading.permissions_list, len(queries))
    return _judged("GetPermissions", request, read, caller, chosen)


def authorize(
    caller: Caller, *requirements: Requirement, **options: Unpack[Explained]
) -> Call[answers.Authorization]:
    """Whether all requirements hold; 1 to 32."""
    chosen = Options(**options)
    request = _sent(
        lambda: api.AuthorizeRequest(
            caller=caller.message(),
            requirements=[each.message() for each in requirements],
            consistency=chosen.consistency,
            explain=chosen.explain,
        )
    )
    read = partial(reading.authorization, len(requirements))
    return _judged("Authorize", request, read, caller, chosen)


def get_list_filter(
    caller: Caller,
    kind: str,
    *,
    permission: PermissionQuery | None = None,
    sql: SqlOptions | None = None,
    **options: Unpack[Fresh],
) -> Call[answers.ListFilter]:
    """Which rows of a kind the caller may list, as a tree and when asked as SQL.

    `permission` is a DATA query whose read level is joined by AND.
    """
    chosen = Options(**options)
    request = _sent(
        lambda: api.GetListFilterRequest(
            caller=caller.message(),
            kind=kind,
            permission=None if permission is None else permission.message(),
            sql=None if sql is None else sql.message(),
            consistency=chosen.consistency,
        )
    )
    read = partial(filters.list_filter, with_sql=sql is not None)
    return Call("GetListFilter", request, read, chosen.timeout)


def validate_access_rules(
    *rules: AccessRule, timeout: float | None = None
) -> Call[answers.RuleProblems]:
    """What is wrong with rules before they are stored; 1 to 1,000 in one call."""
    request = _sent(
        lambda: api.ValidateAccessRulesRequest(rules=[each.message() for each in rules])
    )
    read = partial(reading.rule_problems, len(rules))
    return Call("ValidateAccessRules", request, read, timeout)


def server_info(*, timeout: float | None = None) -> Call[answers.ServerInfo]:
    """What the server is, and what it serves on this listener."""
    return Call("GetServerInfo", b"", reading.server_info, timeout)


def watch(after_revision: str | None = None) -> Call[answers.WatchEvent]:
    """Changes from now on, or after a revision; the answer is one of many."""
    request = _sent(lambda: api.WatchRequest(after_revision=after_revision))
    return Call("Watch", request, reading.watch_event)


def _judged(
    method: str,
    request: bytes,
    read: Callable[[bytes], A],
    caller: Caller,
    chosen: Options,
) -> Call[A]:
    is_plain = not chosen.explain and chosen.consistency is None
    return Call(method, request, read, chosen.timeout, is_plain and caller.is_named)


def _sent(make: Callable[[], Message]) -> bytes:
    try:
        return make().SerializeToString(deterministic=True)
    except ValueError as error:
        # Half of a surrogate pair, which a header of a request may well hold.
        reason = "MALFORMED_FIELD"
        message = "the question has text that is not Unicode, or an unknown word"
        raise InvalidRequestError(message, reason=reason) from error
