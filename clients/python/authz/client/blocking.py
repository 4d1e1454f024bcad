"""The client that waits in its thread."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Self, TypeVar

import grpc

from authz.client import calls
from authz.client.attempts import Attempts, Budget, Retry
from authz.client.calls import Call
from authz.client.channels import OPTIONS, Tls
from authz.client.errors import AuthzError, InternalError, error_of

P = ParamSpec("P")
A = TypeVar("A")


def _asks(
    build: Callable[P, Call[A]],
) -> Callable[Concatenate["Client", P], A]:
    @wraps(build)
    def ask(client: "Client", /, *args: P.args, **kwargs: P.kwargs) -> A:
        return client._ask(build(*args, **kwargs))  # noqa: SLF001  its own methods

    return ask


class Client:
    """Asks a sidecar; may be shared by threads, but not by a fork of the process.

    Every method raises AuthzError when there is no answer, within its deadline.
    """

    def __init__(self, channel: grpc.Channel, timeout: float, retry: Retry) -> None:
        self._channel = channel
        self._timeout = timeout
        self._budget = Budget(retry)

    @classmethod
    def connect(
        cls,
        target: str,
        *,
        tls: Tls | None = None,
        timeout: float = 1.0,
        retry: Retry | None = None,
    ) -> Self:
        """A client; the connection is made with the first question.

        Args:
            target: `unix:/run/authz/authz.sock`, or `host:port`.
            tls: without, the connection is in the clear.
            timeout: seconds for each call, repetitions included.
            retry: when a call is made again.
        """
        if tls is None:
            channel = grpc.insecure_channel(target, OPTIONS)
        else:
            options = (*OPTIONS, *tls.options())
            channel = grpc.secure_channel(target, tls.credentials(), options)
        return cls(channel, timeout, retry or Retry())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()

    resolve_context = _asks(calls.resolve_context)
    list_contexts = _asks(calls.list_contexts)
    check_visible = _asks(calls.check_visible)
    check_writable = _asks(calls.check_writable)
    check_creatable = _asks(calls.check_creatable)
    check_role = _asks(calls.check_role)
    get_permissions = _asks(calls.get_permissions)
    authorize = _asks(calls.authorize)
    get_list_filter = _asks(calls.get_list_filter)
    validate_access_rules = _asks(calls.validate_access_rules)
    server_info = _asks(calls.server_info)

    def _ask(self, call: Call[A]) -> A:
        timeout = self._timeout if call.timeout is None else call.timeout
        attempts = Attempts(self._budget, timeout, time.monotonic)
        while True:
            try:
                answer = call.read(self._send(call, attempts.remaining()))
            except AuthzError as error:
                time.sleep(attempts.wait_after(error))
            else:
                attempts.succeed()
                return answer

    def _send(self, call: Call[A], timeout: float) -> bytes:
        method = self._channel.unary_unary(call.path, None, None)
        try:
            data: object = method(call.request, timeout=timeout)
        except grpc.RpcError as error:
            raise _told(error) from None
        except ValueError as error:
            raise InternalError("the client is closed") from error
        if not isinstance(data, bytes):
            raise InternalError("the call ended without an answer")
        return data


def _told(error: grpc.RpcError) -> AuthzError:
    if not isinstance(error, grpc.Call):
        return InternalError("the call ended without a status")
    return error_of(
        error.code(), error.details() or "", error.trailing_metadata() or ()
    )
