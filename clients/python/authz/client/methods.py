"""What the methods of your own gRPC server demand, and what is asked about a call."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final, TypeAlias

import grpc
from google.protobuf.message import Message

from authz.client.answers import Authorization, TenantContext
from authz.client.errors import InternalError, PermissionDeniedError, ProtocolError
from authz.client.identity import CallerOf, Headers
from authz.client.needs import Need, Values
from authz.client.questions import Caller, Requirement
from authz.client.refusals import caller_in, refuse_undecided


@unique
class Open(Enum):
    """The rule of a method that anybody may call; its calls have no tenant."""

    OPEN = "OPEN"


OPEN: Final = Open.OPEN
# Without needs, whoever has a tenant may call.
Rule: TypeAlias = tuple[Need, ...] | Open
TENANT: Final[ContextVar[TenantContext | None]] = ContextVar("tenant", default=None)


def current_tenant() -> TenantContext:
    """The tenant of the call whose handler runs.

    Raises:
        InternalError: it has none; its method is open, or the interceptor is missing.
    """
    tenant = TENANT.get()
    if tenant is None:
        raise InternalError("the call has no tenant")
    return tenant


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one call; without requirements, only as which tenant."""

    caller: Caller
    requirements: tuple[Requirement, ...]
    timeout: float


@dataclass(frozen=True, slots=True)
class Methods:
    """The rules of a server's methods, by path such as `/package.Service/Method`.

    A method that is not there is refused. `timeout` is in seconds, and never longer
    than the call that is asked about.
    """

    rules: Mapping[str, Rule]
    caller_of: CallerOf
    timeout: float

    def question(
        self,
        details: grpc.HandlerCallDetails,
        request: object,
        remaining: float | None,
    ) -> Question | None:
        """What to ask about a call; none when its method is open.

        Args:
            details: the call's path and metadata.
            request: its message, if it has just one. Needs take ids from its fields.
            remaining: seconds until its deadline, if it has one.

        Raises:
            AuthzError: it is refused without asking.
        """
        headers = _headers(details)
        refuse_undecided(headers)
        rule = self.rules.get(details.method)
        if rule is None:
            message = "there is no rule for this method"
            raise PermissionDeniedError(message, reason="NO_ROUTE")
        if isinstance(rule, Open):
            return None
        caller = caller_in(headers, self.caller_of)
        values = _fields(request)
        timeout = self.timeout if remaining is None else min(self.timeout, remaining)
        return Question(caller, tuple(need(values) for need in rule), timeout)


def allowed_context(answer: Authorization) -> TenantContext:
    """The tenant of an answer that allows.

    Raises:
        DeniedError: it denies.
    """
    answer.require()
    if answer.context is None:
        raise ProtocolError("the answer lacks `context`")
    return answer.context


def _headers(details: grpc.HandlerCallDetails) -> Headers:
    return Headers(
        (name, text if isinstance(text, str) else text.decode("latin-1"))
        for name, text in details.invocation_metadata
    )


def _fields(request: object) -> Values:
    if not isinstance(request, Message):
        return {}
    names = [field.name for field in request.DESCRIPTOR.fields]
    return {name: getattr(request, name) for name in names}
