"""A small application: it answers with what reached it, and what the sidecar says.

Requests come through Envoy alone, so the x-authz- headers are true. Who calls is then
asked about over the sidecar's own API, as an application does for its lists.
"""  # noqa: INP001  it is mounted as a file of its own

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from authz.client import AuthzError, Caller, Client

SIDECAR = Client.connect(os.environ["AUTHZ_ADDRESS"])


class Shown(BaseHTTPRequestHandler):
    """Shows each request."""

    protocol_version = "HTTP/1.1"

    def show(self) -> None:
        """Answers with the request, and with the contexts of who calls."""
        self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        shown = {
            "method": self.command,
            "path": self.path,
            "headers": headers,
            "contexts": contexts(headers.get("x-authz-user-id")),
        }
        body = json.dumps(shown, indent=2).encode() + b"\n"
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing of its requests."""


for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
    setattr(Shown, f"do_{method}", Shown.show)


def contexts(user: str | None) -> object:
    """As whom the caller may act; nothing for nobody, or what went wrong."""
    if user is None:
        return None
    try:
        return [each.name for each in SIDECAR.list_contexts(Caller.user(user)).contexts]
    except AuthzError as error:
        return {"error": str(error)}


if __name__ == "__main__":
    # The first process of a container ignores signals that it has no handler for, and
    # so would hold up its pod until all of it is killed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shown)
    sys.stderr.write("ready\n")
    server.serve_forever()
