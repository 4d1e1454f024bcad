"""A gRPC client that is nearly nothing: frames written and read as bytes.

The request's headers are encoded once; each call sends them again under a number of
its own, with whatever body. What comes back is looked at as far as a status needs.
That costs a few microseconds a call, so one core asks faster than a sidecar answers,
and, unlike h2load, each call may ask something else and has a time at which it was
due.
"""

import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from select import select
from typing import Final

from hpack import Decoder, Encoder

from bench.parts.cores import connect

# RFC 9113, section 6.
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
_WINDOW, _CONTINUATION = 8, 9
_ACK = _END_STREAM = 1
_END_HEADERS = 4
_LARGEST_FRAME = 16_384
_LARGEST_WINDOW = 2**31 - 1
_FIRST_WINDOW = 65_535
_FRAME_HEAD: Final = 9
_RECEIVED: Final = 1 << 20
_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

Pairs = Sequence[tuple[str, str]]


class CallFailedError(Exception):
    """A call that did not end with the status OK."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A call that has ended; `body` is the message without its length."""

    number: int
    is_ok: bool
    body: bytes


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    length = struct.pack(">I", len(payload))[1:]
    return length + struct.pack(">BBI", kind, flags, stream) + payload


def _setting(identifier: int, value: int) -> bytes:
    return struct.pack(">HI", identifier, value)


def prefixed(message: bytes) -> bytes:
    """A message as gRPC sends it: not compressed, its length before it."""
    return struct.pack(">BI", 0, len(message)) + message


class Wire:
    """One connection on which calls of one method are sent."""

    def __init__(self, address: str, method: str, extra: Pairs = ()) -> None:
        """`method` is /package.Service/Method; raises OSError."""
        self._socket = connect(address)
        self._head = _request_head(method, extra)
        self._next = 1
        self._window = _FIRST_WINDOW
        self._waiting: deque[bytes] = deque()
        self._bodies: dict[int, bytes] = {}
        self._unread = b""
        self._decoder = Decoder()
        self._good_trailers: set[bytes] = set()
        # What was said to the last call that did not end with OK.
        self.refusal = ""
        settings = _setting(1, 0) + _setting(2, 0) + _setting(4, _LARGEST_WINDOW)
        more = struct.pack(">I", _LARGEST_WINDOW - _FIRST_WINDOW)
        self._received = 0
        self._socket.sendall(
            _PREFACE + _frame(_SETTINGS, 0, 0, settings) + _frame(_WINDOW, 0, 0, more)
        )

    def close(self) -> None:
        """Ends the connection."""
        self._socket.close()

    def fileno(self) -> int:
        """What `select` waits on."""
        return self._socket.fileno()

    def send(self, body: bytes) -> int:
        """Asks, with a body as `prefixed` gives it; gives the call's number."""
        stream, self._next = self._next, self._next + 2
        head = _frame(_HEADERS, _END_HEADERS, stream, self._head)
        if not self._waiting and len(body) <= self._window:
            self._window -= len(body)
            self._socket.sendall(head + b"".join(_data(stream, body)))
        else:
            self._waiting.append(head)
            self._waiting.extend(_data(stream, body))
            self._send_waiting()
        return stream

    def _send_waiting(self) -> None:
        sent = []
        while self._waiting:
            frame = self._waiting[0]
            size = len(frame) - _FRAME_HEAD if frame[3] == _DATA else 0
            if size > self._window:
                break
            self._window -= size
            sent.append(self._waiting.popleft())
        if sent:
            self._socket.sendall(b"".join(sent))

    def receive(self) -> list[Ended]:
        """What has ended, once something has come; waits for it.

        Raises CallFailedError when the connection ended.
        """
        data = self._socket.recv(_RECEIVED)
        if not data:
            raise CallFailedError("the connection was closed")
        data = self._unread + data if self._unread else data
        ended: list[Ended] = []
        at, end = 0, len(data)
        while end - at >= _FRAME_HEAD:
            size = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2]
            until = at + _FRAME_HEAD + size
            if until > end:
                break
            stream = int.from_bytes(data[at + 5 : at + 9], "big")
            payload = data[at + _FRAME_HEAD : until]
            self._take(data[at + 3], data[at + 4], stream, payload, ended)
            at = until
        self._unread = data[at:]
        if self._received > _LARGEST_WINDOW // 2:
            more = struct.pack(">I", self._received)
            self._socket.sendall(_frame(_WINDOW, 0, 0, more))
            self._received = 0
        return ended

    def _take(
        self, kind: int, flags: int, stream: int, payload: bytes, ended: list[Ended]
    ) -> None:
        if kind == _DATA:
            self._received += len(payload)
            self._bodies[stream] = self._bodies.get(stream, b"") + payload
        elif kind == _HEADERS:
            is_ok = not flags & _END_STREAM or self._is_good(payload)
            if flags & _END_STREAM:
                body = self._bodies.pop(stream, b"")
                ended.append(Ended(stream, is_ok, body[5:]))
            elif payload not in self._good_trailers:
                # The decoder has a state that each block may change.
                self._decoder.decode(payload)
        elif kind == _RESET:
            self._bodies.pop(stream, None)
            ended.append(Ended(stream, is_ok=False, body=b""))
        else:
            self._control(kind, flags, stream, payload)

    def _control(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == _WINDOW and stream == 0:
            self._window += int.from_bytes(payload, "big")
            self._send_waiting()
        elif kind == _SETTINGS and not flags & _ACK:
            self._socket.sendall(_frame(_SETTINGS, _ACK, 0, b""))
        elif kind == _PING and not flags & _ACK:
            self._socket.sendall(_frame(_PING, _ACK, 0, payload))
        elif kind in {_GOAWAY, _CONTINUATION}:
            raise CallFailedError(f"frame {kind} was not expected")

    def _is_good(self, payload: bytes) -> bool:
        # Without a table of headers the same status is the same bytes each time.
        if payload in self._good_trailers:
            return True
        headers = {
            str(name): str(value) for name, value in self._decoder.decode(payload)
        }
        if headers.get("grpc-status") == "0":
            self._good_trailers.add(payload)
            return True
        message = headers.get("grpc-message", "")
        self.refusal = f"status {headers.get('grpc-status')}: {message}"
        return False


def _data(stream: int, body: bytes) -> list[bytes]:
    parts = [
        body[at : at + _LARGEST_FRAME] for at in range(0, len(body), _LARGEST_FRAME)
    ]
    last = len(parts) - 1
    return [
        _frame(_DATA, _END_STREAM if index == last else 0, stream, part)
        for index, part in enumerate(parts)
    ]


def _request_head(method: str, extra: Pairs) -> bytes:
    headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", method),
        (":authority", "localhost"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        *extra,
    ]
    # Never indexed, so the block means the same each time that it is sent.
    block: bytes = Encoder().encode(
        [(name, value, True) for name, value in headers], huffman=False
    )
    return block


def ask(address: str, method: str, body: bytes, extra: Pairs = ()) -> bytes:
    """Asks once, with a body as `prefixed` gives it; gives the answer's message.

    Raises CallFailedError when the status is not OK, and OSError.
    """
    wire = Wire(address, method, extra)
    try:
        wire.send(body)
        while True:
            readable, _, _ = select([wire], [], [], 10)
            if not readable:
                raise CallFailedError(f"no answer to `{method}` in 10 s")
            for ended in wire.receive():
                if not ended.is_ok:
                    raise CallFailedError(f"`{method}` was refused: {wire.refusal}")
                return ended.body
    finally:
        wire.close()
