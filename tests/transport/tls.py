"""Talking to listeners with TLS, as callers of every kind."""

import asyncio
import ssl
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc
from authz.v1 import authorization_service_pb2 as api
from authz.v1.caller_pb2 import Caller
from cryptography import x509
from grpc import aio

from tests.support.authority import Authority, Folder, Issued
from tests.support.serving import Place, Schema, Serving, Stage, refusal

TENANCY = Place(Schema.REFERENCE, "tenancy")
APP = "dns:app.example"
SECONDS = 10


@dataclass(frozen=True)
class Secured:
    """A sidecar with one listener with TLS, and the files of it."""

    serving: Serving
    folder: Folder
    authority: Authority

    @property
    def address(self) -> str:
        """Where it listens."""
        return self.serving.sidecar.addresses[0]

    @property
    def port(self) -> int:
        """The port of it."""
        return int(self.address.rpartition(":")[2])

    def channel(
        self, client: Issued | None, options: Mapping[str, str | int] | None = None
    ) -> aio.Channel:
        """A new connection, of its own, that trusts the authority."""
        credentials = grpc.ssl_channel_credentials(
            self.authority.pem,
            None if client is None else client.key_pem,
            None if client is None else client.pem,
        )
        alone = {"grpc.use_local_subchannel_pool": 1, **(options or {})}
        return aio.secure_channel(
            self.address, credentials, options=list(alone.items())
        )

    def metric(self, name: str, **labels: str) -> float | None:
        """A metric of the listener."""
        registry = self.serving.sidecar.metrics.registry
        return registry.get_sample_value(name, {"listener": self.address, **labels})

    async def resolve(self, client: Issued | None) -> str:
        """How a call on a new connection ends: its code, and the reason if any."""
        async with self.channel(client) as channel:
            return await resolve(channel)


async def secured(
    stage: Stage, folder: Path, *allowed: str, **changed: object
) -> Secured:
    """Starts a sidecar with mTLS on 127.0.0.1; `changed` is of the setting `tls`."""
    authority, files = Authority(), Folder(folder)
    files.put(authority.server(), authority.pem)
    listener = {
        "address": "127.0.0.1:0",
        "services": ["api", "health", "reflection", "watch"],
        "tls": files.settings(*allowed, **changed),
    }
    url = await stage.stored(TENANCY)
    return Secured(await stage.start(url, listeners=[listener]), files, authority)


async def resolve(channel: aio.Channel, caller: Caller | None = None) -> str:
    """How a call ends: its code, and the reason if it has one."""
    request = api.ResolveContextRequest(caller=caller or Caller(user_id="2"))
    try:
        await Stage.stub_of(channel).ResolveContext(request, timeout=SECONDS)
    except aio.AioRpcError as error:
        refused = refusal(error)
        return f"{refused.code} {refused.reason}".strip()
    return "OK"


def caller_context(client: Path, version: ssl.TLSVersion) -> ssl.SSLContext:
    """A caller with a certificate who speaks one version of TLS, and trusts anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # The library would not offer old versions by itself.
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2"])
    context.load_cert_chain(client)
    return context


async def served_serial(port: int) -> str:
    """The serial number of the certificate that a new connection is shown."""
    address = ("127.0.0.1", port)
    pem = await asyncio.to_thread(ssl.get_server_certificate, address)
    return f"{x509.load_pem_x509_certificate(pem.encode()).serial_number:x}"
