"""A client of the API, for questions from the command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import grpc
from authz.v1 import authorization_service_pb2_grpc
from google.protobuf.message import Message

from sidecar.command.failures import failure_of
from sidecar.command.options import Connection, read_file
from sidecar.command.problems import OptionError

R = TypeVar("R", bound=Message)

_OPTIONS = [
    # An authorization question must not travel through somebody's web proxy.
    ("grpc.enable_http_proxy", 0),
    # A person waits: one try, then say what is wrong.
    ("grpc.enable_retries", 0),
]


class Client:
    """Asks over one channel, each call bounded by `timeout` seconds."""

    def __init__(self, channel: grpc.Channel, timeout: float) -> None:
        make = authorization_service_pb2_grpc.AuthorizationServiceStub
        self._stub = make(channel)
        self._timeout = timeout

    def ask(self, rpc: str, request: Message, answer: type[R]) -> R:
        """The response of an rpc, named as in the proto, of the type `answer`.

        Raises:
            CallFailedError: the call ended with a status.
        """
        try:
            response = getattr(self._stub, rpc)(request, timeout=self._timeout)
        except grpc.RpcError as error:
            raise failure_of(error) from error
        if not isinstance(response, answer):
            raise TypeError(f"`{rpc}` does not answer with `{answer.__name__}`")
        return response

    def follow(
        self,
        rpc: str,
        request: Message,
        event: type[R],
        timeout: float | None = None,
    ) -> Iterator[R]:
        """The responses of a streaming rpc, for so many seconds if there is a bound.

        Raises:
            CallFailedError: the call ended with a status.
        """
        try:
            for response in getattr(self._stub, rpc)(request, timeout=timeout):
                if isinstance(response, event):
                    yield response
        except grpc.RpcError as error:
            raise failure_of(error) from error


@contextmanager
def open_channel(connection: Connection) -> Iterator[grpc.Channel]:
    """A channel to the server, closed afterwards.

    Raises:
        OptionError: the options about TLS do not fit together, or their files cannot
            be read.
    """
    credentials = _credentials(connection)
    with (
        grpc.insecure_channel(connection.address, options=_OPTIONS)
        if credentials is None
        else grpc.secure_channel(connection.address, credentials, options=_OPTIONS)
    ) as channel:
        yield channel


def _credentials(connection: Connection) -> grpc.ChannelCredentials | None:
    authorities, own, key = (
        None if path is None else read_file(path)
        for path in (connection.tls_ca, connection.tls_cert, connection.tls_key)
    )
    if authorities is None and own is None and key is None:
        return None
    if authorities is None or (own is None) != (key is None):
        raise OptionError(
            "TLS needs --tls-ca, and --tls-cert and --tls-key both or neither"
        )
    return grpc.ssl_channel_credentials(authorities, key, own)
