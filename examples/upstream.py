"""A small application to stand behind Envoy: it answers with what reached it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class _Shown(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def show(self) -> None:
        # Read, so that the next request on this connection starts where it starts.
        self.rfile.read(int(self.headers.get("content-length", "0")))
        shown = {
            "method": self.command,
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
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


for _method in _METHODS:
    setattr(_Shown, f"do_{_method}", _Shown.show)


@contextmanager
def upstream() -> Iterator[int]:
    """The application on a free port of loopback, which is given."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shown)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
