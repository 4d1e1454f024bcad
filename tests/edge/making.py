"""Makes the messages that Envoy sends."""

from collections.abc import Iterable, Mapping
from typing import Final

from google.protobuf.struct_pb2 import Struct

from sidecar.transport.envoy import external_auth_pb2 as envoy

Pairs = Iterable[tuple[str | bytes, str | bytes]]

JWT_AUTHN: Final = b"envoy.filters.http.jwt_authn"


def request(  # noqa: PLR0913  all that Envoy says
    path: str | bytes = "/me",
    headers: Mapping[str, str | bytes] | Pairs = (),
    method: str | bytes = "GET",
    *,
    raw: Pairs = (),
    extensions: Mapping[str, str] | None = None,
    principal: str | bytes = b"",
    metadata: bytes | Mapping[str, object] | None = None,
) -> envoy.CheckRequest:
    """A message; `raw` are headers in `header_map`, `metadata` that of `jwt_authn`."""
    message = envoy.CheckRequest()
    http = message.attributes.request.http
    http.method, http.path = as_bytes(method), as_bytes(path)
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    for name, value in pairs:
        http.headers.add(key=as_bytes(name), value=as_bytes(value))
    for name, value in raw:
        http.header_map.headers.add(key=as_bytes(name), raw_value=as_bytes(value))
    message.attributes.context_extensions.update(extensions or {})
    if principal:
        message.attributes.source.principal = as_bytes(principal)
    if metadata is not None:
        message.attributes.metadata_context.filter_metadata.add(
            key=JWT_AUTHN,
            value=metadata if isinstance(metadata, bytes) else struct(metadata),
        )
    return message


def struct(fields: Mapping[str, object]) -> bytes:
    """A Struct as it is encoded."""
    found = Struct()
    found.update(fields)  # type: ignore[arg-type]  # what it cannot take, it refuses
    return found.SerializeToString()


def as_bytes(text: str | bytes) -> bytes:
    """Text as UTF-8."""
    return text if isinstance(text, bytes) else text.encode()
