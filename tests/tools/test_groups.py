"""Tests of one group run one after the other, in one process."""

import subprocess
import sys
from pathlib import Path

_TESTS = """
import os, pathlib, pytest

pytestmark = pytest.mark.xdist_group("one")

@pytest.mark.parametrize("number", range(8))
def test_of_a_group(number):
    pathlib.Path("seen", str(os.getpid())).touch()
"""


def test_a_group_is_of_one_process(tmp_path: Path) -> None:
    """Those that stop processes, or fill databases, would else be in each other's way.

    pytest-xdist 3.8 with pytest 9.2 has no groups, and does not say so.
    """
    (tmp_path / "test_it.py").write_text(_TESTS)
    (tmp_path / "seen").mkdir()
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )

    assert 1 == len(list((tmp_path / "seen").iterdir()))
