import json
import subprocess
import sys

# In a process of its own: whoever configures logging does so for all of it.
_PROGRAM = """
import logging, sys
from sidecar.observe.log import configure_logging

configure_logging("info")
try:
    raise ConnectionRefusedError("gone")
except ConnectionRefusedError:
    logging.getLogger(sys.argv[1]).warning("cannot connect", exc_info=True)
"""


_TWICE = """
import json
import structlog
from structlog.testing import capture_logs
from sidecar.observe.log import configure_logging

log = structlog.get_logger("one")
configure_logging("info")
log.warning("before")
configure_logging("info")
with capture_logs() as heard:
    log.warning("meanwhile")
print(json.dumps(heard))
"""


def ran(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What a program of ours printed."""
    return subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-c", program, *arguments],
        check=True,
        capture_output=True,
        text=True,
    )


def said(logger: str) -> dict[str, object]:
    """The line that a library's logger makes of an error."""
    (line,) = ran(_PROGRAM, logger).stderr.splitlines()
    found = json.loads(line)
    assert isinstance(found, dict)
    return found


def test_pool_without_traceback() -> None:
    """That the pool cannot connect is told in one short line, by the error's name."""
    found = said("asyncpg.pool")

    assert ("cannot connect", "ConnectionRefusedError") == (
        found["event"],
        found["error"],
    )
    assert "exception" not in found


def test_others_with_traceback() -> None:
    """What any other library fails at keeps its traceback."""
    found = said("asyncio")

    assert "Traceback" in str(found["exception"])


def test_a_logger_that_was_used_follows_whoever_configures_again() -> None:
    """Else a test that listens hears nothing once two sidecars ran in its process."""
    (heard,) = json.loads(ran(_TWICE).stdout)

    assert "meanwhile" == heard["event"]
