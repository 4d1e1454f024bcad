"""The command line: `authz-sidecar`, or `python -m sidecar`."""

import os
import sys
from collections.abc import Sequence

from sidecar.command import serving

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line, the process's own unless given; gives the exit code."""
    # Read when grpc is imported. With it, a program that is started while calls are
    # under way, as the database of `dev` is, dies now and then before it begins
    # (https://github.com/grpc/grpc/issues/43055). No process of ours forks otherwise.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
    given = sys.argv[1:] if arguments is None else arguments
    if serving.is_plain(given):
        return serving.serve(given)
    from sidecar.command.program import main as run  # noqa: PLC0415  see `serving`

    return run(given)


if __name__ == "__main__":
    sys.exit(main())
