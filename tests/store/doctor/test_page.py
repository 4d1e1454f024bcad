import re
from pathlib import Path

from sidecar.store.doctor.codes import CODES

PAGE = Path(__file__).parents[3] / "docs" / "doctor.md"
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (error|warning) \| (.*) \|$", re.MULTILINE)


def test_the_page_lists_every_code() -> None:
    """Each code stands there with how bad it is and what it says, in the same order."""
    listed = ROW.findall(PAGE.read_text("utf-8"))

    assert [
        (name, code.severity.value, code.about) for name, code in CODES.items()
    ] == listed
