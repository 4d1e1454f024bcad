"""What is asked through Envoy, and what is looked at in the answer."""

import asyncio
from typing import Final

from tests.support.edge import (
    ANN,
    Edge,
)

AURORA: Final = {"x-api-key": ANN, "x-organization-id": "1"}
NAMES: Final = {
    "x-authz-user-id",
    "x-authz-principal-id",
    "x-authz-write-principal-id",
    "x-authz-org-role",
    "x-authz-access-level",
    "x-authz-decision-id",
}
FORGED: Final = {
    "x-authz-user-id": "7",
    "X-Authz-Principal-Id": "2",
    "x-authz-write-principal-id": "2",
    "x-authz-org-role": "admin",
    "x-authz-access-level": "all",
    "x-authz-decision-id": "mine",
    "x-authz-anything": "1",
    "x-http-method-override": "DELETE",
    "x-envoy-auth-failure-mode-allowed": "true",
}


def ours(headers: dict[str, str]) -> dict[str, str]:
    """The sidecar's headers, but the decision's id, which must be there."""
    found = {name: value for name, value in headers.items() if "authz" in name}
    assert found.pop("x-authz-decision-id")
    return found


async def raw(
    edge: Edge, request: bytes, *, then: bytes = b"", until: bytes = b""
) -> bytes:
    """What comes back for bytes on the wire; `then` is sent after the first answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.envoy.port)
    try:
        writer.write(request)
        async with asyncio.timeout(10):
            if then:
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(then)
                return head + await reader.readexactly(len(then))
            if until:
                return await reader.readuntil(until)
            return await reader.read()
    finally:
        writer.close()
