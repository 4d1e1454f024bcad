"""Who may call on a listener with mTLS: names out of certificates, and the check.

The check reads the certificate itself. What gRPC tells of its names ends at a zero
byte, so `app.example` with a zero byte and more behind it would pass for that name.
"""

import inspect
import math
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
)
from dataclasses import dataclass
from enum import Enum, unique
from ipaddress import ip_address
from typing import TypeAlias, cast

import grpc
import structlog
from cryptography import x509
from google.protobuf.message import Message
from grpc import aio
from typing_extensions import override

from sidecar.core.reasons import Reason
from sidecar.ports import Clock
from sidecar.transport.status import RefusedError, code_of, details_of

_CERTIFICATE = "x509_pem_cert"
_REMEMBERED = 1_000

Handler: TypeAlias = "grpc.RpcMethodHandler[Message, Message]"
Context: TypeAlias = "aio.ServicerContext[Message, Message]"
Details: TypeAlias = grpc.HandlerCallDetails
Answer: TypeAlias = "Awaitable[Message] | AsyncIterator[Message]"
Behaviour: TypeAlias = "Callable[[object, Context], Answer]"

_log = structlog.stdlib.get_logger("sidecar.transport")


class PeerNameError(Exception):
    """A name that may call is not of its form; the message says why."""


@unique
class NameKind(Enum):
    """The kinds of name that a certificate can carry and a listener can allow."""

    DNS = "dns"
    URI = "uri"
    IP = "ip"


@dataclass(frozen=True, slots=True)
class PeerName:
    """A subject alternative name; names are the same or they are not."""

    kind: NameKind
    value: str

    @classmethod
    def dns(cls, value: str) -> "PeerName":
        """A DNS name, which is the same in either case of its letters."""
        return cls(NameKind.DNS, value.lower())

    @override
    def __str__(self) -> str:
        return f"{self.kind.value}:{self.value}"


def parse_name(text: str) -> PeerName:
    """`dns:<name>`, `uri:<uri>` or `ip:<address>`.

    Raises:
        PeerNameError: of no known kind, malformed, or with a wildcard.
    """
    kind, _, value = text.partition(":")
    if kind not in {each.value for each in NameKind} or not value:
        raise PeerNameError(
            f"`{text}` must be `dns:<name>`, `uri:<uri>` or `ip:<address>`"
        )
    if "*" in value:
        raise PeerNameError(f"`{text}` has a wildcard, and names are compared exactly")
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise PeerNameError(f"`{text}` must be printable ASCII without blanks")
    match NameKind(kind):
        case NameKind.DNS:
            return PeerName.dns(value)
        case NameKind.URI:
            if ":" not in value:
                raise PeerNameError(f"`{text}` has no scheme, as in `uri:spiffe://...`")
            return PeerName(NameKind.URI, value)
        case NameKind.IP:
            return _parse_ip(text, value)


def _parse_ip(text: str, value: str) -> PeerName:
    try:
        return PeerName(NameKind.IP, str(ip_address(value)))
    except ValueError as error:
        raise PeerNameError(f"`{text}` is no IP address") from error


@dataclass(frozen=True, slots=True)
class Presented:
    """What a certificate says: its names, and its end in seconds since 1970.

    Only subject alternative names are names: the common name says nothing.
    """

    names: frozenset[PeerName]
    end: float


_NOBODY = Presented(frozenset(), -math.inf)


def read_certificate(certificate: bytes) -> Presented:
    """Reads a certificate in PEM form; one that cannot be read has no names."""
    try:
        found = x509.load_pem_x509_certificate(certificate)
        extension = found.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        names = frozenset(_typed(extension.value))
        return Presented(names, found.not_valid_after_utc.timestamp())
    except Exception:  # noqa: BLE001  whatever it is, it names nobody
        return _NOBODY


def _typed(names: x509.SubjectAlternativeName) -> Iterator[PeerName]:
    for name in names:
        match name:
            case x509.DNSName():
                yield PeerName.dns(name.value)
            case x509.UniformResourceIdentifier():
                yield PeerName(NameKind.URI, name.value)
            case x509.IPAddress():
                yield PeerName(NameKind.IP, str(name.value))
            case _:
                pass


class AllowedPeers:
    """Which callers a listener lets in, by the names in their certificates.

    A handshake that resumes an earlier one does not look at the end of the caller's
    certificate again. So it is looked at here, `lasting_seconds` later: by then every
    connection that began before has ended.
    """

    def __init__(
        self, names: frozenset[PeerName], clock: Clock, lasting_seconds: float
    ) -> None:
        self._names = names
        self._clock = clock
        self._lasting_seconds = lasting_seconds
        # Until when each certificate lets in.
        self._known: dict[bytes, float] = {}
        self.refused = 0

    def admits(self, identity: Mapping[str, Iterable[bytes]]) -> bool:
        """Whether a connection's peer has one of the names.

        `identity` is what gRPC tells of the connection.
        """
        certificate = next(iter(identity.get(_CERTIFICATE, ())), b"")
        until = self._known.get(certificate)
        if until is None:
            until = self._judge(certificate)
        if self._clock.wall() <= until:
            return True
        self.refused += 1
        return False

    def _judge(self, certificate: bytes) -> float:
        presented = read_certificate(certificate)
        until = presented.end + self._lasting_seconds
        if presented.names.isdisjoint(self._names):
            until = -math.inf
            _log.warning("peer.refused", names=sorted(map(str, presented.names)))
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[certificate] = until
        return until


class PeerInterceptor(aio.ServerInterceptor):  # type: ignore[type-arg]  # not subscriptable at run time
    """Lets no handler run, of whatever service, for a peer that is not allowed.

    A method that is not there is refused in the same way, so that only those who may
    call learn what is served.
    """

    def __init__(self, allowed: AllowedPeers) -> None:
        self._allowed = allowed
        self._guarded: dict[str, Handler] = {}
        self._missing = cast(
            "Handler", grpc.stream_stream_rpc_method_handler(self._no_method)
        )

    @override
    async def intercept_service(
        self, continuation: Callable[[Details], Awaitable[Handler]], details: Details
    ) -> Handler:
        """Gives the handler with the check before it."""
        method = str(details.method)
        guarded = self._guarded.get(method)
        if guarded is not None:
            return guarded
        handler = cast("Handler | None", await continuation(details))
        if handler is None:
            return self._missing
        guarded = self._guarded[method] = self._guard(handler)
        return guarded

    def _guard(self, handler: Handler) -> Handler:
        behaviour, make = _parts(handler)

        async def answer(request: object, context: Context) -> Message:
            await self._refuse_strangers(context)
            return await cast("Awaitable[Message]", behaviour(request, context))

        async def stream(request: object, context: Context) -> None:
            await self._refuse_strangers(context)
            answers = behaviour(request, context)
            if inspect.isawaitable(answers):
                await answers
                return
            async for each in answers:
                await context.write(each)

        run = stream if handler.response_streaming else answer
        return make(run, handler.request_deserializer, handler.response_serializer)

    async def _no_method(self, requests: object, context: Context) -> None:
        del requests
        await self._refuse_strangers(context)
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "there is no such method")

    async def _refuse_strangers(self, context: Context) -> None:
        if self._allowed.admits(context.auth_context()):
            return
        refused = RefusedError(Reason.PEER_NOT_ALLOWED)
        await context.abort(code_of(refused), refused.message, details_of(refused))


_Make: TypeAlias = "Callable[[object, object, object], Handler]"


def _parts(handler: Handler) -> tuple[Behaviour, _Make]:
    found: tuple[object, object]
    match handler.request_streaming, handler.response_streaming:
        case False, False:
            found = handler.unary_unary, grpc.unary_unary_rpc_method_handler
        case False, True:
            found = handler.unary_stream, grpc.unary_stream_rpc_method_handler
        case True, False:
            found = handler.stream_unary, grpc.stream_unary_rpc_method_handler
        case _:
            found = handler.stream_stream, grpc.stream_stream_rpc_method_handler
    return cast("tuple[Behaviour, _Make]", found)
