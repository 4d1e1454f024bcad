import subprocess
import sys
from pathlib import Path

import pytest

from bench.marked_figures import write_figures
from bench.revocations import Revocation, quantile, table

ROOT = Path(__file__).parents[2]
# COMMIT is sent at 10 s, is back after 2 ms, and is denied after 5 ms.
SEEN = Revocation("grant", 10.0, 10.002, 10.003, 9.985, 10.001, 10.005, 10)


def test_times() -> None:
    """Each measure counts from what it says, in milliseconds."""
    found = (
        SEEN.from_sent,
        SEEN.from_returned,
        SEEN.to_heard,
        SEEN.allowed_for,
        SEEN.period,
    )

    assert pytest.approx((5.0, 3.0, 1.0, 0.0, 2.0)) == found


def test_allowed_after_the_return() -> None:
    """A question that was put after the return and allowed counts."""
    late = Revocation("grant", 10.0, 10.002, 10.003, 9.985, 10.006, 10.009, 10)

    assert pytest.approx(4.0) == late.allowed_for


def test_denied_before_the_return() -> None:
    """A denial that comes before whoever commits has heard took no time."""
    early = Revocation("grant", 10.0, 10.002, 10.001, 9.985, 9.999, 10.001, 10)

    assert [0.0, 0.0] == [early.from_returned, early.to_heard]


def test_quantile() -> None:
    """A share of all is at most the value that is given."""
    values = [float(each) for each in range(1, 101)]

    found = [quantile(values, share) for share in (0.0, 0.5, 0.99, 0.991, 1)]

    assert [1.0, 50.0, 99.0, 100.0, 100.0] == found


def test_table() -> None:
    """Every kind has a row for each measure, and so have all together."""
    others = [
        Revocation(kind, 1.0, 1.001, 1.001, 0.9, 1.0, 1.004, 10)
        for kind in ("membership", "rule")
    ]

    found = table([SEEN, *others], "nobody else asks").splitlines()

    row = "| COMMIT sent, to the first denial seen | all"
    assert f"{row} | 4.00 ms | 5.00 ms | 5.00 ms | 5.00 ms |" in found
    assert 16 == len([each for each in found if each.startswith("| COMMIT")])


def test_written_between_marks(tmp_path: Path) -> None:
    """Figures replace those of their own program, and nothing else."""
    page = tmp_path / "page.md"
    end = "<!-- end of the figures -->\n"
    page.write_text(
        f"a\n<!-- figures of one -->\nold\n{end}"
        f"b\n<!-- figures of two -->\nold\n{end}c\n"
    )

    write_figures(page, "one", "new\n")

    assert page.read_text() == (
        f"a\n<!-- figures of one -->\n\nnew\n\n{end}"
        f"b\n<!-- figures of two -->\nold\n{end}c\n"
    )


def test_no_place(tmp_path: Path) -> None:
    """A page without marks is left as it is."""
    page = tmp_path / "page.md"
    page.write_text("a\n")

    with pytest.raises(ValueError, match="no place"):
        write_figures(page, "one", "new")

    assert page.read_text() == "a\n"


def test_a_few() -> None:
    """The whole command revokes and sees denials, however long they take."""
    command = [sys.executable, str(ROOT / "bench" / "revocations.py")]
    ended = subprocess.run(  # noqa: S603  our own program
        [*command, "--count", "6", "--rate", "20", "--print"],
        check=False,
        capture_output=True,
        text=True,
        timeout=110,
    )

    assert ended.returncode in (0, 1), ended.stderr
    assert ended.stdout.startswith("6 revocations; "), ended.stderr
