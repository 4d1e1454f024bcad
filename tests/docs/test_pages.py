"""What pages say of others, of tests and of settings is so."""

import re
from pathlib import Path
from typing import Final

import pytest

from sidecar.settings import Settings
from tests.deploy.tables import codes, rows
from tests.docs.pages import ROOT, Link, anchors, is_broken, links, pages

_TEST: Final = re.compile(r"^(?:async )?def (test_\w+)", re.MULTILINE)


def test_every_link_leads_somewhere() -> None:
    """Each link within the repository leads to a file, and to a heading if it says."""
    found = [link for page in pages() for link in links(page)]
    broken = [
        f"{link.page.relative_to(ROOT)}: {link.target}"
        for link in found
        if is_broken(link)
    ]

    assert len(found) > 100
    assert [] == broken


@pytest.mark.parametrize(
    ("target", "broken"),
    [
        ("other.md", False),
        ("other.md#what-there-is-1", False),
        ("#a-title-with-code", False),
        ("missing.md", True),
        ("other.md#missing", True),
        ("#missing", True),
    ],
)
def test_a_broken_link_is_found(tmp_path: Path, target: str, *, broken: bool) -> None:
    """So that the test above can fail."""
    page = tmp_path / "page.md"
    page.write_text(f"# A title, with `code`!\n\n[x]({target})\n")
    (tmp_path / "other.md").write_text("# What there is\n\n## What there is\n")

    assert [Link(page, target)] == links(page)
    assert broken is is_broken(Link(page, target))


def test_what_only_looks_like_a_link_is_none(tmp_path: Path) -> None:
    """Code is not looked at, nor what leads out of the repository."""
    page = tmp_path / "page.md"
    page.write_text("`[x](y.md)` [z](https://example.org)\n\n```\n# [x](y.md)\n```\n")

    assert [] == links(page)
    assert frozenset() == anchors(page)


def test_threats_name_tests_that_there_are() -> None:
    """Every threat has tests that show what is done about it."""
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in _TEST.findall(path.read_text(encoding="utf-8"))
    }
    named = {
        row["threat"]: codes(row["shown by"])
        for row in rows("threat-model.md")
        if "threat" in row
    }

    assert len(named) > 30
    assert [] == [threat for threat, tests in named.items() if not tests]
    assert set() == {name for tests in named.values() for name in tests} - there


def test_limits_have_the_defaults_of_the_settings() -> None:
    """Where a limit names a setting, its default is the setting's."""
    settings = Settings()
    wrong = []
    for row in rows("limits.md"):
        for name in codes(row["setting"]):
            if "." not in name:
                continue
            value: object = settings
            for part in name.split("."):
                value = getattr(value, part)
            if str(value) != row["default"]:
                wrong.append((name, row["default"], value))

    assert [] == wrong


def test_every_limit_of_the_settings_is_on_the_page() -> None:
    """None is left out of the groups that only have limits."""
    named = {name for row in rows("limits.md") for name in codes(row["setting"])}
    settings = Settings()
    wanted = {f"limits.{name}" for name in type(settings.limits).model_fields}
    wanted |= {f"cache.{name}" for name in type(settings.cache).model_fields}

    assert set() == wanted - named
