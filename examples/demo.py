"""Asks the sidecar every kind of question, and says what the answers are good for.

Starts a server with the data of gpu-cloud.yaml on a socket of its own, tells a story
of questions and answers, checks that each answer is what the story says, and stops
the server. Ends with 0 when all are, with 1 otherwise.
"""

import sys

import grpc
from authz.v1.authorization_service_pb2_grpc import AuthorizationServiceStub
from dev_server import NotStartedError, dev_server, temporary_directory
from story import tell
from telling import Telling

TITLE = """\
authz-sidecar: who may act where, see what, change what
========================================================
A GPU cloud has customers that must not see each other, clusters that some of them
lend to others, and people with all sorts of roles. Its applications do not decide
who may do what; they ask the sidecar beside them, over a Unix socket. The data is
examples/gpu-cloud.yaml; the questions are plain gRPC calls.

Starting PostgreSQL and the sidecar in a temporary directory ...
"""


def main() -> int:
    """Runs the demo; gives the exit code."""
    sys.stdout.write(TITLE)
    sys.stdout.flush()
    with temporary_directory() as directory:
        address = f"unix:{directory / 'authz.sock'}"
        without_metrics = {"metrics": {"address": None}}
        with (
            dev_server(directory / "data", address, without_metrics),
            grpc.insecure_channel(address) as channel,
        ):
            telling = Telling()
            tell(AuthorizationServiceStub(channel), telling)
    return telling.end()


if __name__ == "__main__":
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
