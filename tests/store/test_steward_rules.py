import asyncpg
import pytest

from sidecar.core.model import AccessLevel, RuleContext
from sidecar.store.steward.deeds import StewardError
from sidecar.store.steward.rules import ListRules, SetRule, UnsetRule, WantedRule
from sidecar.store.steward.turn import Errand
from tests.store.stewarding import WORLD, at_once, changed, do, only, refused, see

NONE, MY, GROUP, ALL = AccessLevel
DATA, UI, RESOURCE = RuleContext
RULES = """
select context, item, view, read, "create", update, delete
from authz.access_rules where role_id = $1 order by context, item nulls first
"""


@pytest.fixture
async def url(connection: asyncpg.Connection, database: str) -> str:
    """A database with the world of these tests."""
    await connection.execute(WORLD)
    return database


async def rules(connection: asyncpg.Connection, role: str) -> list[tuple[object, ...]]:
    """The rules of a role, but for their ids."""
    return [tuple(row) for row in await connection.fetch(RULES, role)]


def wanted(
    context: RuleContext = DATA,
    item: str | None = None,
    *,
    view: bool = False,
    **levels: AccessLevel,
) -> WantedRule:
    """A rule."""
    return WantedRule(context, item, view, levels)


async def test_setting_makes_a_rule(url: str, connection: asyncpg.Connection) -> None:
    """What was said is stored; what was not is none."""
    rule = wanted(DATA, "data.contract", view=True, read=GROUP, create=MY)
    deed = await do(url, SetRule("editor-1", rule))

    assert [("DATA", "data.contract", True, "g", "m", None, None)] == await rules(
        connection, "editor-1"
    )
    change = only(deed)
    subject = "DATA rule of role `editor-1` (`Editor`) about `data.contract`"
    assert (None, subject) == (change.before, change.subject)
    assert (None, "g") == changed(change)["read"]


async def test_setting_replaces_a_rule_whole(
    url: str, connection: asyncpg.Connection
) -> None:
    """Nothing of what the rule was is inherited, and the row is the same."""
    deed = await do(url, SetRule("reader", wanted(read=ALL, delete=GROUP)))

    assert {
        "view": (True, False),
        "read": ("g", "a"),
        "create": ("m", None),
        "delete": (None, "g"),
    } == changed(only(deed))
    assert [("DATA", None, False, "a", None, None, "g")] == await rules(
        connection, "reader"
    )
    assert "rule" == (only(deed).after or {})["id"]


async def test_setting_what_is_so_changes_nothing(url: str) -> None:
    """A null level means none, so a rule that says so is the same rule."""
    rule = wanted(view=True, read=GROUP, create=MY, update=NONE, delete=NONE)
    deed = await do(url, SetRule("Reader", rule))

    assert () == deed.changes
    said = "DATA rule of role `reader` (`Reader`) about everything is so already"
    assert (said,) == deed.notes


async def test_a_rule_of_another_item_or_context_is_another_rule(
    url: str, connection: asyncpg.Connection
) -> None:
    """Generic, special, and of another area: three rules."""
    await do(url, SetRule("reader", wanted(DATA, "a.b", read=NONE)))
    await do(url, SetRule("reader", wanted(UI, view=True)))

    assert [
        ("DATA", None, True, "g", "m", None, None),
        ("DATA", "a.b", False, "n", None, None, None),
        ("UI", None, True, None, None, None, None),
    ] == await rules(connection, "reader")


async def test_levels_without_effect_are_told_of(url: str) -> None:
    """Levels are for DATA only (semantics §4.8)."""
    deed = await do(url, SetRule("reader", wanted(UI, view=True, read=ALL)))

    assert ("levels count in the context DATA only, here just view does",) == deed.notes


INVALID = [
    (
        wanted(view=True),
        "read must be set in the context DATA, because the other levels are measured",
    ),
    (
        wanted(read=GROUP, delete=ALL),
        "that they cannot read, so delete must be at most `group`, or read at least ",
    ),
    (wanted(read=NONE, create=MY), "create must be at most `none`, or read at least "),
    (wanted(read=MY, update=GROUP), "update must be at most `my`, or read at least "),
    (wanted(DATA, "a..b", read=MY), "item `a..b` must be non-empty segments"),
    (wanted(DATA, "", read=MY), "item `` must be non-empty segments"),
    (wanted(UI, "a b"), "item `a b` must be non-empty segments"),
]


@pytest.mark.parametrize(("rule", "problem"), INVALID, ids=lambda each: str(each)[-40:])
def test_an_invalid_rule_is_explained(rule: WantedRule, problem: str) -> None:
    """It says which field must be what, and why."""
    with pytest.raises(StewardError) as refusal:
        rule.check()

    assert str(refusal.value).startswith("the rule is not valid: ")
    assert problem in str(refusal.value)


def test_every_fault_is_explained_at_once() -> None:
    """Nobody has to try again to learn of the next one."""
    with pytest.raises(StewardError) as refusal:
        wanted(DATA, "a.", read=MY, create=ALL, update=GROUP).check()

    said = str(refusal.value)
    assert ["item `a.`", "create is", "update is"] == [
        each
        for each in ("item `a.`", "create is", "update is", "delete is")
        if each in said
    ]


@pytest.mark.parametrize("create", AccessLevel)
@pytest.mark.parametrize("read", AccessLevel)
def test_levels_within_read_are_valid(read: AccessLevel, create: AccessLevel) -> None:
    """None of the other levels exceeds read, and everything else may be."""
    rule = wanted(read=read, create=create)

    if create <= read:
        rule.check()
    else:
        with pytest.raises(StewardError):
            rule.check()


@pytest.mark.parametrize(
    "errand",
    [
        SetRule("reader", wanted(read=MY, create=ALL)),
        SetRule("nothing", wanted(read=MY)),
        SetRule("Editor", wanted(read=MY)),
        UnsetRule("nothing", DATA, None),
        SetRule("reader", wanted(UI, "\udcff")),
    ],
)
async def test_what_is_refused_stores_nothing(
    url: str, connection: asyncpg.Connection, errand: Errand
) -> None:
    """Not valid, or of a role that is not there or not the only one of its label."""
    before = await connection.fetch("select * from authz.access_rules order by id")

    await refused(url, errand)

    assert before == await connection.fetch(
        "select * from authz.access_rules order by id"
    )


async def test_unsetting_deletes_the_rule_of_that_item_only(
    url: str, connection: asyncpg.Connection
) -> None:
    """No item is the generic rule, not all of them; twice changes nothing."""
    await do(url, SetRule("reader", wanted(DATA, "a", read=MY)))
    deed = await do(url, UnsetRule("reader", DATA, None))
    again = await do(url, UnsetRule("reader", DATA, None))

    assert None is only(deed).after
    assert ("g", None) == changed(only(deed))["read"]
    assert () == again.changes
    assert [("DATA", "a", False, "m", None, None, None)] == await rules(
        connection, "reader"
    )


async def test_lists_by_role_and_context(url: str) -> None:
    """Rules in the order of roles, contexts and items."""
    everything = await see(url, ListRules(None, None, 10))
    of_tuner = await see(url, ListRules("Tuner", None, 10))
    of_ui = await see(url, ListRules(None, UI, 10))

    reader = ("reader", "Reader", "DATA", None, True, "g", "m", None, None)
    tuner = ("tuner", "Tuner", "UI", "panel", True, None, None, None, None)
    assert (reader, tuner) == everything.rows
    assert ((tuner,), (tuner,)) == (of_tuner.rows, of_ui.rows)


async def test_administrators_at_once_set_one_rule(
    url: str, connection: asyncpg.Connection
) -> None:
    """The last one's word holds, and each was told what it replaced."""
    deeds = await at_once(
        url,
        *(SetRule("editor-1", wanted(read=level)) for level in AccessLevel),
    )

    (row,) = await rules(connection, "editor-1")
    befores = [
        (only(deed).before or {}).get("read")
        for deed in deeds
        if not isinstance(deed, str)
    ]
    letters = {None, "n", "m", "g", "a"}
    assert letters - {row[3]} == set(befores)
    assert 4 == len(befores)
