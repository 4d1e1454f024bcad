"""The alerts and the metrics, by Prometheus' own tool."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.deploy.queries import ALERTS, alert_queries

ROOT: Final = Path(__file__).parents[2]
PROMTOOL: Final = ROOT / "build" / "deploy-tools" / "bin" / "promtool"
CASES: Final = ALERTS.with_name("alerts.test.yaml")


@dataclass(frozen=True)
class Ended:
    """How the tool ended, and all that it said."""

    code: int
    told: str


def promtool(*arguments: str | Path, given: str = "") -> Ended:
    """Runs it; without it the test is skipped, or fails where CI is `true`."""
    if not PROMTOOL.exists():
        reason = "promtool is not there: run `make deploy-tools`"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    done = subprocess.run(  # noqa: S603  our own tool
        [PROMTOOL, *arguments], input=given, capture_output=True, text=True, check=False
    )
    return Ended(done.returncode, done.stdout + done.stderr)


def test_prometheus_takes_the_alerts() -> None:
    """Expressions, durations and templates are right, and no two rules alike."""
    ended = promtool("check", "rules", "--lint=all", "--lint-fatal", ALERTS)

    assert 0 == ended.code, ended.told


def test_alerts_fire_when_they_should_and_only_then() -> None:
    """Series that are made up have each alert fire, and be silent before."""
    ended = promtool("test", "rules", CASES)

    assert 0 == ended.code, ended.told


def test_an_alert_that_should_not_fire_is_seen(tmp_path: Path) -> None:
    """So that the test above can fail."""
    text = ALERTS.read_text(encoding="utf-8")
    (tmp_path / ALERTS.name).write_text(text.replace("3 * 86400", "300 * 86400"))
    cases = tmp_path / CASES.name
    cases.write_bytes(CASES.read_bytes())

    assert 0 != promtool("test", "rules", cases).code


def test_every_alert_is_seen_to_fire() -> None:
    """None is left out of the cases."""
    cases = yaml.safe_load(CASES.read_text(encoding="utf-8"))["tests"]
    tested = [
        (name, bool(looked.get("exp_samples")))
        for case in cases
        for looked in case["promql_expr_test"]
        for name in alert_queries()
        if f'alertname="{name}"' in looked["expr"]
    ]

    assert {(name, fires) for name in alert_queries() for fires in (True, False)} == {
        *tested
    }
