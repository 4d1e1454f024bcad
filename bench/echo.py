"""The least that a call on the native engine can cost: bytes in, bytes out.

The first four bytes of a question say how long the answer is to be, so that messages
are as long as those that it is compared with. It has what the sidecar gives itself: the
event loop, one thread for the wire, a collector that seldom looks.
"""

import gc
import os
import sys

import grpc
import pygrpc_native.aio
import uvloop


async def answer(question: bytes, context: object) -> bytes:
    """As many bytes as wished for."""
    del context
    return bytes(int.from_bytes(question[:4], "big"))


async def serve(address: str) -> None:
    """Serves until it is ended."""
    server = pygrpc_native.aio.Server(io_threads=1)
    # Registered by name: the engine hands generic handlers to the other engine.
    handler = grpc.unary_unary_rpc_method_handler(answer)
    server.add_registered_method_handlers("bench.Echo", {"Answer": handler})
    server.add_insecure_port(address)
    await server.start()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    await server.wait_for_termination()


if __name__ == "__main__":
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    uvloop.run(serve(sys.argv[1]))
