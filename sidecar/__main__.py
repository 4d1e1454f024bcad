"""The command line: `authz-sidecar`, or `python -m sidecar`."""

import sys

from sidecar.command.program import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
