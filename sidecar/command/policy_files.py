"""Text files that the command line reads and writes."""

from pathlib import Path

from sidecar.command.options import read_file
from sidecar.command.problems import OptionError


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        OptionError: it cannot be read, or is not UTF-8.
    """
    try:
        return read_file(path).decode()
    except UnicodeDecodeError as error:
        raise OptionError(f"`{path}` is not UTF-8") from error


def write_text(path: Path, text: str) -> None:
    """Makes a file of a text, in place of one that is there.

    Raises:
        OptionError: it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or "it cannot be written").lower()
        raise OptionError(f"cannot write `{path}`: {reason}") from error
