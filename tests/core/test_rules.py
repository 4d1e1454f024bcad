from dataclasses import replace

import pytest

from sidecar.core.ids import RoleId, RuleId
from sidecar.core.model import AccessLevel, RuleContext
from sidecar.core.reasons import RuleFault
from sidecar.core.rules import (
    Fault,
    StoredRole,
    StoredRule,
    Unknown,
    compile_role,
    duplicates,
    faults,
    is_item,
)
from tests.core.facts import permissions

NONE, MY, GROUP, ALL = AccessLevel
VALID = StoredRule(
    RuleId("1"), RuleContext.DATA, "a.b", view=True, read=ALL, create=GROUP, update=MY,
    delete=None,
)  # fmt: skip
UI = replace(VALID, context=RuleContext.UI)


def _stored(*rules: StoredRule) -> StoredRole:
    numbered = [replace(rule, id=RuleId(f"{n}")) for n, rule in enumerate(rules)]
    return StoredRole(RoleId("r"), "label", None, None, tuple(numbered))


@pytest.mark.parametrize("item", ["a", "a.b", "a.b.c", "\u00e9", "a-b", "*", "a/b"])
def test_items_are_segments_without_blanks(item: str) -> None:
    """Any characters but blanks make a segment."""
    assert is_item(item)


@pytest.mark.parametrize(
    "item",
    [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        " ",
        "a b",
        "a. b",
        "\ta",
        "a\n",
        "a\u00a0b",
        "\u2003",
    ],
)
def test_empty_segments_and_blanks_make_no_item(item: str) -> None:
    """Blanks of every kind are refused."""
    assert not is_item(item)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (VALID, []),
        (replace(VALID, item=None), []),
        (replace(VALID, read=NONE, create=None, update=NONE), []),
        (replace(UI, read=None, create=ALL), []),
        (
            replace(VALID, context=Unknown.WORD),
            [Fault("context", RuleFault.UNKNOWN_CONTEXT)],
        ),
        (replace(VALID, item=""), [Fault("item", RuleFault.MALFORMED_ITEM)]),
        (replace(VALID, view=None), [Fault("view", RuleFault.VIEW_MISSING)]),
        (replace(VALID, read=None), [Fault("read", RuleFault.READ_MISSING)]),
        (
            replace(VALID, read=Unknown.WORD, create=None, update=None),
            [Fault("read", RuleFault.UNKNOWN_LEVEL)],
        ),
        (
            replace(VALID, delete=Unknown.WORD),
            [Fault("delete", RuleFault.UNKNOWN_LEVEL)],
        ),
        (replace(UI, read=Unknown.WORD), [Fault("read", RuleFault.UNKNOWN_LEVEL)]),
        (
            replace(VALID, read=NONE),
            [
                Fault("create", RuleFault.EXCEEDS_READ),
                Fault("update", RuleFault.EXCEEDS_READ),
            ],
        ),
        (
            replace(VALID, read=GROUP, delete=ALL),
            [Fault("delete", RuleFault.EXCEEDS_READ)],
        ),
    ],
)
def test_each_fault_of_a_rule_is_told(rule: StoredRule, expected: list[Fault]) -> None:
    """A rule is told all that is wrong with it, field by field."""
    assert expected == list(faults(rule))


def test_a_rule_keeps_its_levels_in_data_only() -> None:
    """Outside DATA only view means something."""
    role, malformed = compile_role(_stored(VALID, UI))

    assert () == malformed
    assert permissions("agmn") == role.rules[RuleContext.DATA]["a.b"].permissions
    assert permissions("nnnn") == role.rules[RuleContext.UI]["a.b"].permissions


@pytest.mark.parametrize(
    "bad",
    [
        replace(VALID, item=""),
        replace(VALID, view=None),
        replace(VALID, read=None),
        replace(VALID, delete=Unknown.WORD),
        replace(VALID, read=MY),
        VALID,
    ],
)
def test_a_bad_rule_silences_its_role_in_its_context(bad: StoredRule) -> None:
    """Good rules beside a bad one say nothing there, but do elsewhere."""
    role, malformed = compile_role(_stored(VALID, UI, bad))

    assert {RuleContext.UI} == set(role.rules)
    assert {RuleContext.DATA} == role.malformed
    assert ["2"] == [each.rule_id for each in malformed]


def test_a_rule_of_an_unknown_context_silences_its_role_everywhere() -> None:
    """Nobody knows where such a rule was to narrow something."""
    unknown = replace(VALID, context=Unknown.WORD)

    role, malformed = compile_role(_stored(VALID, UI, unknown))

    assert {} == role.rules
    assert frozenset(RuleContext) == role.malformed
    assert 1 == len(malformed)


def test_duplicates_are_of_one_role_context_and_item() -> None:
    """The second of two is told, whatever it grants; a generic rule is one too."""
    one, other = RoleId("r"), RoleId("s")
    generic = replace(VALID, item=None)
    rules = [
        (one, VALID),
        (other, VALID),
        (one, UI),
        (one, generic),
        (one, replace(VALID, view=False)),
        (one, generic),
    ]

    assert [4, 5] == list(duplicates(rules))
