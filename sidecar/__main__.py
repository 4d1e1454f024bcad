"""The command line: `authz-sidecar`, or `python -m sidecar`."""

import sys
from collections.abc import Sequence

from sidecar.command import serving

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line, the process's own unless given; gives the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if serving.is_plain(given):
        return serving.serve(given)
    from sidecar.command.program import main as run  # noqa: PLC0415  see `serving`

    return run(given)


if __name__ == "__main__":
    sys.exit(main())
