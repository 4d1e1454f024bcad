"""A server that no client may believe; lies until its standard input ends.

    python clients/conformance/hostile.py --mode MODE --address ADDRESS

`ADDRESS` is `unix:/path` or `127.0.0.1:port`, where port 0 is any. Once it listens, it
prints `{"address": …}`. README.md says what the modes are.
"""

import argparse
import asyncio
import json
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeAlias

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "clients" / "python")]

import grpc  # noqa: E402  after the path
from grpc import aio  # noqa: E402

from clients.conformance.lies import SERVICE, calls, honest, lie, modes  # noqa: E402

_GARBAGE: Final = b"\x00\xff\x13 this is no HTTP/2 \x00" * 64
_NO_MESSAGE: Final = b"\xff\xff\xff\xff not a message"

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter
Behave: TypeAlias = Callable[[Reader, Writer], Awaitable[None]]
Answer: TypeAlias = Callable[[str, bytes], Awaitable[bytes]]


async def _say_nothing(reader: Reader, _: Writer) -> None:
    while await reader.read(65_536):
        pass


async def _say_garbage(reader: Reader, writer: Writer) -> None:
    writer.write(_GARBAGE)
    await writer.drain()
    await _say_nothing(reader, writer)


async def _close(_: Reader, __: Writer) -> None:
    return


_RAW: Final[dict[str, Behave]] = {
    "silent": _say_nothing,
    "garbage": _say_garbage,
    "closing": _close,
}


def _answers(seconds: float) -> dict[str, Answer]:
    async def never(_: str, __: bytes) -> bytes:
        await asyncio.Event().wait()
        return b""

    async def late(call: str, request: bytes) -> bytes:
        await asyncio.sleep(seconds)
        return honest(call, request).SerializeToString()

    async def no_message(_: str, __: bytes) -> bytes:
        return _NO_MESSAGE

    return {"stuck": never, "slow": late, "no-message": no_message}


def _liar(mode: str) -> Answer:
    async def answer(call: str, request: bytes) -> bytes:
        return lie(mode, call, request).SerializeToString()

    return answer


def _handlers(answer: Answer) -> "grpc.GenericRpcHandler[bytes, bytes]":
    def handler(call: str) -> "grpc.RpcMethodHandler[bytes, bytes]":
        async def behave(request: bytes, _: object) -> bytes:
            return await answer(call, request)

        return grpc.unary_unary_rpc_method_handler(behave)

    return grpc.method_handlers_generic_handler(
        SERVICE, {call: handler(call) for call in calls()}
    )


@asynccontextmanager
async def _grpc(address: str, answer: Answer) -> AsyncIterator[str]:
    server = aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((_handlers(answer),))
    port = server.add_insecure_port(address)
    await server.start()
    is_socket = address.startswith("unix:")
    try:
        yield address if is_socket else f"{address.rpartition(':')[0]}:{port}"
    finally:
        await server.stop(0)


@asynccontextmanager
async def _raw(address: str, behave: Behave) -> AsyncIterator[str]:
    async def serve(reader: Reader, writer: Writer) -> None:
        try:
            await behave(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    if address.startswith("unix:"):
        path = address.removeprefix("unix:")
        server = await asyncio.start_unix_server(serve, path)
        bound = address
    else:
        host, _, port = address.rpartition(":")
        server = await asyncio.start_server(serve, host, int(port))
        bound = f"{host}:{server.sockets[0].getsockname()[1]}"
    try:
        yield bound
    finally:
        server.close()


async def _run(arguments: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    threading.Thread(target=_read_to_end, args=(loop, ending), daemon=True).start()
    mode = arguments.mode
    answers = _answers(arguments.seconds)
    listening = (
        _raw(arguments.address, _RAW[mode])
        if mode in _RAW
        else _grpc(arguments.address, answers.get(mode) or _liar(mode))
    )
    async with listening as bound:
        print(json.dumps({"address": bound}), flush=True)
        await ending.wait()


def _read_to_end(loop: asyncio.AbstractEventLoop, ending: asyncio.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    loop.call_soon_threadsafe(ending.set)


def main() -> int:
    """Lies, and ends in good order."""
    known = [*_RAW, *_answers(0), *modes()]
    parser = argparse.ArgumentParser(description="A server that no one may believe.")
    parser.add_argument("--mode", choices=known, required=True)
    parser.add_argument("--address", required=True, help="unix:/path, or host:port")
    parser.add_argument("--seconds", type=float, default=5.0, help="of the mode slow")
    asyncio.run(_run(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
