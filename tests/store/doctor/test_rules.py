import itertools
from collections.abc import Iterator

from sidecar.core.ids import RuleId
from sidecar.core.model import AccessLevel, RuleContext
from sidecar.core.reasons import RuleFault
from sidecar.core.rules import Level, StoredRule, Unknown, faults
from sidecar.store.doctor.rule_checks import RULE_FAULTS
from tests.store.doctor.clinic import Clinic

CODES = {
    RuleFault.UNKNOWN_CONTEXT: "rule-context-unknown",
    RuleFault.UNKNOWN_LEVEL: "rule-level-unknown",
    RuleFault.MALFORMED_ITEM: "rule-item-malformed",
    RuleFault.VIEW_MISSING: "rule-view-missing",
    RuleFault.READ_MISSING: "rule-read-missing",
    RuleFault.EXCEEDS_READ: "rule-exceeds-read",
}
CONTEXTS: dict[str | None, RuleContext | Unknown] = {
    "DATA": RuleContext.DATA,
    "ui": RuleContext.UI,
    "SOUND": Unknown.WORD,
    None: Unknown.WORD,
}
LEVELS: dict[str | None, Level] = {
    "ga": Unknown.WORD,
    "n": AccessLevel.NONE,
    "M": AccessLevel.MY,
    "a": AccessLevel.ALL,
    "x": Unknown.WORD,
    None: None,
}
BLANKS = [chr(number) for number in range(0x10000) if chr(number).isspace()]
ITEMS = [
    None,
    "",
    "a",
    "a.b",
    ".a",
    "a.",
    "a..b",
    "a b",
    *(f"a{each}" for each in BLANKS),
]


# Id, context, item, view and four levels.
Rule = tuple[str, str | None, str | None, bool | None, list[str | None]]


def rules() -> Iterator[Rule]:
    """Rules of every shape."""
    number = itertools.count()
    for context, item, view in itertools.product(CONTEXTS, ITEMS, (True, None)):
        yield f"r{next(number)}", context, item, view, ["n", None, None, None]
    for context, levels in itertools.product(
        CONTEXTS, itertools.product(LEVELS, repeat=3)
    ):
        yield f"r{next(number)}", context, None, True, [*levels, None]
        yield f"r{next(number)}", context, None, False, [levels[0], None, *levels[1:]]


async def test_the_same_rules_are_malformed_as_in_the_core(clinic: Clinic) -> None:
    """The conditions find the faults that the core finds, and no others."""
    stored = list(rules())
    wanted = {
        (rule_id, CODES[each.fault])
        for rule_id, context, item, view, levels in stored
        for each in faults(
            StoredRule(
                RuleId(rule_id),
                CONTEXTS[context],
                item,
                view,
                *(LEVELS[level] for level in levels),
            )
        )
    }
    async with clinic.bed("camel_case") as bed:
        await bed.run('delete from public."AccessRule"')
        await bed.owner.executemany(
            'insert into public."AccessRule" ("id", "roleId", "context", "item",'
            ' "view", "read", "create", "update", "delete")'
            " values ($1, 'guest', $2, $3, $4, $5, $6, $7, $8)",
            [(*rule[:4], *rule[4]) for rule in stored],
        )
        found = {
            (str(row["id"]), code)
            for code, (_, condition, _) in RULE_FAULTS.items()
            for row in await bed.owner.fetch(
                f"select id from authz.access_rules as r where {condition}"  # noqa: S608
            )
        }

    assert wanted == found
