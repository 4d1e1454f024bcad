"""What is handed over: what is sampled, what is cut, and what settings refuse."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from typing_extensions import override

from sidecar.audit.decision_log import DecisionLog, LogLimits
from sidecar.audit.masking import Masks
from sidecar.audit.record import Outcome, Record
from sidecar.audit.sink import DecisionLogError, Sink
from sidecar.settings import DecisionLogSettings
from sidecar.wiring_decision_log import start_log
from tests.decision_log.making import Made, record

MANY = 2_000
LEAST = 4_096


class Kept(Sink):
    """Keeps all lines."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    @override
    def write(self, lines: Sequence[bytes]) -> int:
        self.lines += lines
        return len(lines)

    @override
    def close(self) -> None:
        """Nothing is open."""


def _record(entry: Made) -> Record:
    resources = [{"kind": "cluster", "id": str(n)} for n in range(entry.weight // 100)]
    return record(outcome=entry.outcome.value, question={"resources": resources})


def _logged(share: float, *entries: Made) -> tuple[list[Record], int]:
    """The records, and how many calls were left out."""
    sink = Kept()
    limits = LogLimits(share, 100_000_000, LEAST)
    log = DecisionLog(sink, _record, Masks([], b"k" * 32), limits)
    log.start()
    for each in entries:
        log.add(each)
    log.close(30)
    return [json.loads(each) for each in sink.lines], log.stats().unsampled


def _each(outcome: Outcome) -> list[Made]:
    return [Made(number, outcome) for number in range(MANY)]


def test_only_what_was_allowed_is_sampled() -> None:
    """Of nothing allowed is logged, yet every denial and every error is."""
    entries = [each for outcome in Outcome for each in _each(outcome)]

    records, unsampled = _logged(0.0, *entries)

    assert {"denied": MANY, "error": MANY} == {
        name: sum(each["outcome"] == name for each in records)
        for name in {str(each["outcome"]) for each in records}
    }
    assert MANY == unsampled


def test_share_of_what_was_allowed_is_logged() -> None:
    """About the share that is set is logged; the rest is counted."""
    records, unsampled = _logged(0.25, *_each(Outcome.ALLOWED))

    assert MANY == len(records) + unsampled
    assert 0.15 * MANY < len(records) < 0.35 * MANY


def test_lines_are_no_longer_than_they_may_be() -> None:
    """A large question is one line within its bound, with its line feed."""
    records, _ = _logged(1.0, Made(0, Outcome.DENIED, 100_000))

    (found,) = records
    assert len(json.dumps(found, separators=(",", ":"))) < LEAST
    assert {"resources"} == set(found["truncated"])  # type: ignore[arg-type]  # a mapping


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "cannot be read: no such file"), (b"short", "has less than 16 bytes")],
)
def test_key_that_is_none_is_refused(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    """A key that is missing or short does not become a key that anybody knows."""
    key = tmp_path / "key"
    if content is not None:
        key.write_bytes(content)

    with pytest.raises(DecisionLogError, match=problem):
        start_log(DecisionLogSettings(to="stdout", mask_key_file=key))


@pytest.mark.parametrize(
    "refused",
    [
        {"to": "file"},
        {"file": "log"},
        {"to": "otlp"},
        {"collector": {"endpoint": "http://localhost"}},
        {"to": "stdout", "sample_allowed": 1.5},
        {"to": "stdout", "record_bytes": 4_095},
        {"to": "file", "file": "log", "file_bytes": 50_000},
        {"to": "file", "file": "log", "files": 1},
        {"to": "stdout", "mask": ["credentials"]},
    ],
    ids=str,
)
def test_settings_that_contradict_are_refused(refused: dict[str, object]) -> None:
    """Nobody is left to believe that decisions are logged when they are not."""
    with pytest.raises(ValueError, match="validation error"):
        DecisionLogSettings.model_validate(refused)


def test_nothing_is_imported_without_a_log() -> None:
    """Whoever logs no decision holds nothing of what logs them."""
    script = (
        "import sys, sidecar.app; print([n for n in sys.modules if 'sidecar' in n])"
    )
    ran = subprocess.run(  # noqa: S603  our own words
        [sys.executable, "-c", script], check=True, stdout=subprocess.PIPE, text=True
    )

    assert "'sidecar.app'" in ran.stdout
    for name in (
        "audit",
        "wiring_decision_log",
        "transport.notes",
        "transport.records",
    ):
        assert f"'sidecar.{name}'" not in ran.stdout
