"""Asks the sidecar every kind of question, and says what the answers are good for.

Starts a server with the data of gpu-cloud.yaml on a socket of its own, and an Envoy in
front of a small application. Tells a story of questions and answers, checks that each
answer is what the story says, and stops all of them. Ends with 0 when all are, with 1
otherwise.
"""

import signal
import sys

import grpc
from authz.v1.authorization_service_pb2_grpc import AuthorizationServiceStub
from dev_server import EXAMPLES, NotStartedError, dev_server, temporary_directory
from envoy_in_front import envoy, shipped
from story import tell
from story_of_the_edge import tell_of_the_edge, tell_of_the_end
from telling import Telling
from upstream import upstream

TITLE = """\
authz-sidecar: who may act where, see what, change what
========================================================
A GPU cloud has customers that must not see each other, clusters that some of them
lend to others, and people with all sorts of roles. Its applications do not decide
who may do what; they ask the sidecar beside them, over a Unix socket. The data is
examples/gpu-cloud.yaml; the questions are plain gRPC calls. At the end, Envoy asks.

Starting PostgreSQL, the sidecar and Envoy in a temporary directory ...
"""
SETTINGS = {
    "edge": {"routes_file": str(EXAMPLES / "routes.yaml")},
    "metrics": {"address": None},
    "stop": {"linger_seconds": 0},
}


def main() -> int:
    """Runs the demo; gives the exit code."""
    sys.stdout.write(TITLE)
    sys.stdout.flush()
    telling = Telling()
    with temporary_directory() as directory:
        socket = directory / "authz.sock"
        address = f"unix:{socket}"
        with (
            dev_server(directory / "data", address, SETTINGS) as server,
            grpc.insecure_channel(address) as channel,
            upstream() as application,
            envoy(shipped(socket, application), directory / "envoy") as port,
        ):
            tell(AuthorizationServiceStub(channel), telling)
            tell_of_the_edge(port, telling)

            def end() -> None:
                server.terminate()
                server.wait()

            tell_of_the_end(port, end, telling)
    return telling.end()


if __name__ == "__main__":
    # Whoever ends the demo ends what it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except NotStartedError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
    except grpc.RpcError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
