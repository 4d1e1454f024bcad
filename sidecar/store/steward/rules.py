"""Access rules: set whole, unset, listed; what makes one invalid said in words."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, assert_never

from sidecar.core.ids import RuleId
from sidecar.core.model import AccessLevel, RuleContext
from sidecar.core.reasons import RuleFault
from sidecar.core.rules import Fault, StoredRule, faults
from sidecar.store.steward.deeds import Cell, Change, Deed, Listing, Row, StewardError
from sidecar.store.steward.desk import Desk
from sidecar.store.steward.names import Role, find_role

RELATION: Final = "access_rules"

_LETTERS: Final = MappingProxyType(
    {
        AccessLevel.NONE: "n",
        AccessLevel.MY: "m",
        AccessLevel.GROUP: "g",
        AccessLevel.ALL: "a",
    },
)
_OPERATIONS: Final = ("create", "update", "delete")
_LEVELS: Final = ("read", *_OPERATIONS)
_OF_ROLE: Final = """
select id, role_id, context, item, view, read, "create", update, delete
from authz.access_rules
where role_id = $1 and context = $2 and item is not distinct from $3
for update
"""
_LIST: Final = """
select a.role_id as role, r.label, a.context, a.item, a.view,
    a.read, a."create", a.update, a.delete
from authz.access_rules as a
join authz.roles as r on r.id = a.role_id
where ($1::text is null or a.role_id = $1) and ($2::text is null or a.context = $2)
order by a.role_id, a.context, a.item nulls first
"""


@dataclass(frozen=True, slots=True)
class WantedRule:
    """A rule as it shall be, all of it. No item: the generic one."""

    context: RuleContext
    item: str | None
    view: bool
    levels: Mapping[str, AccessLevel]

    def check(self) -> None:
        """Raises StewardError, with every fault explained, when it is not valid."""
        stored = StoredRule(
            RuleId(""), self.context, self.item, self.view, *self._levels()
        )
        problems = [explain(fault, self) for fault in faults(stored)]
        if problems:
            raise StewardError(f"the rule is not valid: {'; '.join(problems)}")

    def cells(self) -> Row:
        """What of it is stored as it is."""
        letters: dict[str, Cell] = {
            name: None if level is None else _LETTERS[level]
            for name, level in zip(_LEVELS, self._levels(), strict=True)
        }
        return {"view": self.view, **letters}

    def _levels(self) -> Iterator[AccessLevel | None]:
        return (self.levels.get(name) for name in _LEVELS)


@dataclass(frozen=True, slots=True)
class SetRule:
    """Makes a rule what it shall be, whatever it was."""

    role: str
    rule: WantedRule

    async def carry_out(self, desk: Desk) -> Deed:
        """See `Errand`."""
        self.rule.check()
        role = await find_role(desk, self.role)
        context, item = self.rule.context.value, self.rule.item
        subject = _subject(role, context, item)
        rows = await desk.fetch(_OF_ROLE, role.id, context, item)
        if rows:
            return await self._replace(desk, rows[0], subject)
        row: Row = {
            "id": str(uuid.uuid4()),
            "role_id": role.id,
            "context": context,
            "item": item,
            **self.rule.cells(),
        }
        await desk.insert(RELATION, row)
        return Deed((Change(RELATION, subject, None, row),), self._notes())

    async def _replace(self, desk: Desk, before: Row, subject: str) -> Deed:
        wanted = self.rule.cells()
        if all(_meaning(before[name]) == _meaning(wanted[name]) for name in wanted):
            return Deed((), (f"{subject} is so already", *self._notes()))
        after = await desk.update(RELATION, before, wanted)
        return Deed((Change(RELATION, subject, before, after),), self._notes())

    def _notes(self) -> tuple[str, ...]:
        if self.rule.context is not RuleContext.DATA and self.rule.levels:
            return ("levels count in the context DATA only, here just view does",)
        return ()


@dataclass(frozen=True, slots=True)
class UnsetRule:
    """Deletes a rule, so that a less specific one counts, or none."""

    role: str
    context: RuleContext
    item: str | None

    async def carry_out(self, desk: Desk) -> Deed:
        """See `Errand`."""
        role = await find_role(desk, self.role)
        subject = _subject(role, self.context.value, self.item)
        rows = await desk.fetch(_OF_ROLE, role.id, self.context.value, self.item)
        if not rows:
            return Deed((), (f"{subject} is not there",))
        await desk.delete(RELATION, {"id": rows[0]["id"]})
        return Deed((Change(RELATION, subject, rows[0], None),))


@dataclass(frozen=True, slots=True)
class ListRules:
    """Rules of a role, of a context, or all."""

    role: str | None
    context: RuleContext | None
    limit: int

    async def take(self, desk: Desk) -> Listing:
        """See `Look`."""
        role = None if self.role is None else (await find_role(desk, self.role)).id
        context = None if self.context is None else self.context.value
        return await desk.list(_LIST, role, context, limit=self.limit)


def explain(fault: Fault, rule: WantedRule) -> str:
    """Which field must be what, and why."""
    match fault.fault:
        case RuleFault.READ_MISSING:
            return (
                "read must be set in the context DATA, because the other levels are "
                "measured by it; say --read none, my, group or all"
            )
        case RuleFault.EXCEEDS_READ:
            given = rule.levels[fault.field].name.lower()
            read = rule.levels["read"].name.lower()
            return (
                f"{fault.field} is `{given}` and read only `{read}`: nobody may "
                f"{fault.field} rows that they cannot read, so {fault.field} must be "
                f"at most `{read}`, or read at least `{given}`"
            )
        case RuleFault.MALFORMED_ITEM:
            return (
                f"item `{rule.item}` must be non-empty segments without blanks, "
                "joined by `.`, because it matches by whole segments; leave --item "
                "out for the rule about everything"
            )
        case (
            RuleFault.DUPLICATE
            | RuleFault.UNKNOWN_LEVEL
            | RuleFault.UNKNOWN_CONTEXT
            | RuleFault.VIEW_MISSING
        ):
            return f"{fault.field}: {fault.fault.text}"
        case _:
            assert_never(fault.fault)


def _meaning(cell: Cell) -> Cell:
    # A level that is null means none.
    return "n" if cell is None else cell


def _subject(role: Role, context: str, item: str | None) -> str:
    about = "everything" if item is None else f"`{item}`"
    return f"{context} rule of {role.words} about {about}"
