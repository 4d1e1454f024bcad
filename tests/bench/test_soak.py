import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.soak_load import told
from bench.soak_questions import API, Question
from bench.soak_verdict import Finding, Sample, growth, judge, table

ROOT = Path(__file__).parents[2]
MIB = 2**20
CALM = Sample(0.0, 90 * MIB, 30, 12, 0.0, 0.0, 0)


def run(resident: Sequence[float], every: float = 5.0, **outcomes: int) -> list[Sample]:
    """Samples of a process that used so many MiB, one after the other."""
    return [
        Sample(every * place, int(each * MIB), 40, 12, 1000.0, 3.0, 0, outcomes)
        for place, each in enumerate(resident)
    ]


def of(what: str, findings: Sequence[Finding]) -> bool | None:
    """Whether this is well."""
    (found,) = [each for each in findings if each.what == what]
    return found.is_well


def noisy(base: float, slope: float, count: int = 360) -> list[float]:
    """Half an hour of memory, which goes up by `slope` each ten minutes, with peaks."""
    return [
        base
        + slope * place / 120
        + (place * 7 % 5) / 2
        + (20 if place % 40 == 0 else 0)
        for place in range(count)
    ]


def test_flat() -> None:
    """Memory that goes up and down, with peaks, is flat."""
    assert of("memory", judge(run(noisy(100, 0)), CALM, CALM, 0))


def test_leak() -> None:
    """Memory that goes up by two per cent in ten minutes leaks."""
    found = judge(run(noisy(100, 2)), CALM, CALM, 0)

    assert of("memory", found) is False
    assert 0.015 < growth(run(noisy(100, 2))) < 0.02


def test_warm_up() -> None:
    """What grows in the first half only is memory that fills."""
    filling = [min(60 + place / 3, 100.0) for place in range(360)]

    assert of("memory", judge(run(filling), CALM, CALM, 0))


def test_too_short() -> None:
    """Of a few minutes nothing is said, however steep they are."""
    samples = run([50.0 + place for place in range(60)])

    assert of("memory", judge(samples, CALM, CALM, 0)) is None


def test_descriptors() -> None:
    """One descriptor more than before is a leak; fewer are none."""
    samples = run(noisy(100, 0))
    more = Sample(0.0, 90 * MIB, 31, 12, 0.0, 0.0, 0)

    assert of("file descriptors", judge(samples, CALM, more, 0)) is False
    assert of("file descriptors", judge(samples, more, CALM, 0))


def test_calls_and_tracebacks() -> None:
    """Calls that never end, and a traceback, are told."""
    hanging = Sample(0.0, 90 * MIB, 30, 12, 0.0, 1.0, 0)
    found = judge(run(noisy(100, 0)), CALM, hanging, 1)

    assert of("calls running", found) is False
    assert of("tracebacks in the log", found) is False


def test_outcomes() -> None:
    """That the server has a defect, or allowed a stranger, is told as what it is."""
    found = judge(run(noisy(100, 0), OK=9, INTERNAL=1, open=2), CALM, CALM, 0)

    assert of("ended with `INTERNAL`", found) is False
    assert of("ended with `open`", found) is False
    assert "| ended with `open` | 2, of 0 that may be | NOT WELL |" in table(
        run([1, 2]), found
    )


def test_told() -> None:
    """An answer to what is malformed is no good answer."""
    question = Question(f"{API}CheckVisible", b"\xff", is_malformed=True)

    assert told(question, b"") == "malformed: OK"


def test_stranger_is_told() -> None:
    """An allow for whoever can never be allowed is told as an open door."""
    question = Question(f"{API}CheckVisible", b"", is_denied=True)

    # Field 1, a decision, in which field 1 says that it is allowed.
    assert told(question, b"\x0a\x02\x08\x01") == "open"
    assert told(question, b"\x0a\x00") == "OK"


def test_ten_seconds() -> None:
    """The whole command runs, finds everything well, and says so in a table."""
    command = [sys.executable, str(ROOT / "bench" / "soak.py")]
    ended = subprocess.run(  # noqa: S603  our own program
        [*command, "--seconds", "10", "--callers", "2", "--print"],
        check=False,
        capture_output=True,
        text=True,
        timeout=110,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "| calls running | 0, of 0 that may be | well |" in ended.stdout
