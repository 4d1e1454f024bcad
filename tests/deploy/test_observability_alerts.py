"""The alerts: each can be had from what a sidecar tells, and has its section."""

import re
import shlex
from typing import Final, cast

import pytest

from sidecar.command.options import Connection
from sidecar.command.program import Command, _program
from tests.deploy.queries import ALERTS, alert_queries, alerts, unknown
from tests.deploy.tables import DOCS

RUNBOOK: Final = (DOCS / "runbook.md").read_text(encoding="utf-8")
SEVERITIES: Final = {"critical", "warning", "info"}
PARTS: Final = ["Means", "Callers see", "Confirm", "Mend", "Do not"]


@pytest.mark.parametrize(("name", "expression"), alert_queries().items())
def test_alert_names_only_what_a_sidecar_tells(name: str, expression: str) -> None:
    """A real parser takes it, and each metric and label is on the page of metrics."""
    assert (name, []) == (name, unknown(expression))


@pytest.mark.parametrize(
    ("expression", "problems"),
    [
        ("authz_feed_alive == 0", ["authz_feed_alive"]),
        ('authz_feed_live{relation="users"}', ["authz_feed_live{relation}"]),
        ("sum by (relation) (authz_feed_live)", ["relation"]),
        ("authz_feed_live", []),
    ],
)
def test_what_no_sidecar_tells_is_found(expression: str, problems: list[str]) -> None:
    """So that the test above can fail."""
    assert problems == unknown(expression)


def test_every_alert_has_its_section_and_each_section_its_alert() -> None:
    """The runbook has what is in the rules, in the same order, and nothing else."""
    sections = re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE)

    assert list(alert_queries()) == sections


def test_every_section_has_all_its_parts() -> None:
    """Each says what it means, what callers see, how to confirm and mend, and not."""
    parts = re.compile(r"^\*\*([\w ]+?)\.?\*\*", re.MULTILINE)
    found = {
        section.partition("\n")[0]: parts.findall(section)
        for section in RUNBOOK.split("\n## ")[1:]
    }

    assert [] == [name for name, found_parts in found.items() if found_parts != PARTS]


def test_every_alert_leads_to_its_section_and_says_how_bad_it_is() -> None:
    """Whoever is woken up finds the page, and knows whether to get up."""
    wanted = {name: f"docs/runbook.md#{name.lower()}" for name in alert_queries()}
    severities = {
        cast("dict[str, str]", rule["labels"])["severity"] for rule in alerts()
    }

    assert SEVERITIES == severities
    assert wanted == {
        str(rule["alert"]): cast("dict[str, str]", rule["annotations"])["runbook_url"]
        for rule in alerts()
    }


def test_every_command_of_the_runbook_is_one() -> None:
    """Each can be copied: the program knows it, with its options."""
    lines = re.findall(r"authz-sidecar [a-z][^`\n]*", RUNBOOK)
    parsed = [
        _program()(shlex.split(line)[1:], prog_name="", standalone_mode=False)
        for line in lines
    ]

    assert len(lines) > 10
    assert [] == [
        line
        for line, command in zip(lines, parsed, strict=True)
        if not isinstance(command, Command | Connection)
    ]


def test_names_are_of_one_form() -> None:
    """Alerts of several programs come together, so each begins with whose it is."""
    assert [] == [name for name in alert_queries() if not name.startswith("Authz")]
    assert len(alerts()) == len(alert_queries())
    assert ALERTS.read_text(encoding="utf-8").isascii()
