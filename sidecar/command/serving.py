"""`serve` as it is mostly called, without what only the other commands need.

The command line's libraries take a tenth of a sidecar's memory and of the time until it
is ready, for as long as it runs. So a plain `serve` does without them; whatever is not
plain, a mistake too, goes the common way, which does and says the same.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_CONFIG: Final = ("-c", "--config")
_UNDECIDED: Final = 2


def is_plain(arguments: Sequence[str]) -> bool:
    """Whether this is `serve`, with settings from a file or without."""
    match arguments:
        case ["serve"]:
            return True
        case ["serve", option, path]:
            return option in _CONFIG and path != "" and not path.startswith("-")
        case _:
            return False


def serve(arguments: Sequence[str]) -> int:
    """Runs a plain `serve` until it is told to stop; gives the exit code."""
    # The log would import it, if it could, to print tracebacks in colour.
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # means: there is none
    from sidecar.command.problems import OptionError  # noqa: PLC0415  see above
    from sidecar.command.server import serve as run  # noqa: PLC0415  see above

    path = arguments[-1] if len(arguments) > 1 else os.environ.get("AUTHZ_CONFIG")
    try:
        run(Path(path) if path else None, lambda: _tell("ready"))
    except OptionError as error:
        for problem in str(error).split("\n"):
            _tell(f"error: {problem}")
        return _UNDECIDED
    return 0


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
