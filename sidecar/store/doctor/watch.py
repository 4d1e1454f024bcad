"""One table and one group: what must be told of it, against its triggers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sidecar.store.doctor.behind import Thing, Trigger
from sidecar.store.doctor.findings import Finding, Mend
from sidecar.store.doctor.names import is_name, names_in
from sidecar.store.doctor.sources import Source
from sidecar.store.watching import VERSION

_IDENTITY: Final = (
    "encode(sha256(convert_to({issuer} || chr(31) || {subject}, 'UTF8')), 'hex')"
)
# The keys of a row's changes, over the columns of the relation.
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "principals": ("{id}", "{parent_principal_id}"),
    "users": ("{id}",),
    "user_identities": (_IDENTITY,),
    "principal_memberships": ("{member_principal_id}",),
    "cluster_access": ("{principal_id}",),
    "api_keys": ("{lookup_id}",),
    "resources": ("{kind} || '/' || {id}",),
    "feature_instances": ("{id}",),
    "roles": ("{id}",),
    "access_rules": ("{role_id}",),
    "membership_roles": ("{membership_id}",),
    "feature_access": ("{user_id} || '/' || {feature_instance_id}",),
    "feature_access_roles": ("{feature_access_id}",),
}

_EVENTS: Final[Mapping[int, str]] = {
    4: "insert",
    16: "update",
    8: "delete",
    32: "truncate",
}
# A row trigger, one that fires before, or one instead: bits 1, 2 and 64.
_NOT_AFTER_STATEMENT: Final = 67
_CONSTANT: Final = re.compile(r"'((?:[^']|'')*)'::text")


@dataclass(slots=True)
class Wanted:
    """What must be told of a table in one group.

    `is_alone`: every key can be worked out over the table's own columns.
    """

    table: Thing
    group: str
    columns: set[str] = field(default_factory=set)
    keys: list[str] = field(default_factory=list)
    is_alone: bool = True

    def add_keys(self, relation: str, source: Source) -> None:
        """Adds the keys of a relation whose rows come from the table."""
        columns = {
            name: text if is_name(text) else f"({text})"
            for name, text in source.expressions.items()
        }
        try:
            keys = [template.format(**columns) for template in _KEYS[relation]]
        except KeyError:
            self.is_alone = False
            return
        # What is always null is no key.
        kept = (key for key in keys if not key.startswith("(NULL::"))
        self.keys += [key for key in kept if key not in self.keys]


@dataclass(frozen=True, slots=True)
class Watch:
    """What is wanted of a table, and its triggers of that group.

    `columns`: all of the table, from name to what SQL writes.
    """

    wanted: Wanted
    columns: Mapping[str, str]
    triggers: Sequence[Trigger]

    def findings(self) -> Iterator[Finding]:
        """What of the table's changes would not be told."""
        yield from self._missing()
        yield from self._states()
        sound = [each for each in self.triggers if each.version == VERSION]
        if sound:
            yield from self._columns(sound)
            yield from self._keys(sound)

    def _missing(self) -> Iterator[Finding]:
        group, told = self.wanted.group, 0
        for trigger in self.triggers:
            told |= trigger.type
        missing = [word for bit, word in _EVENTS.items() if not told & bit]
        if missing:
            events = "" if len(missing) == len(_EVENTS) else f" on {', '.join(missing)}"
            yield self._finding(
                "triggers-missing", f"tells no changes of group `{group}`{events}"
            )

    def _states(self) -> Iterator[Finding]:
        name = self.wanted.table.sql
        off = [each for each in self.triggers if each.enabled != "A"]
        if off:
            sql = (f"alter table {name} enable always trigger {t.name};" for t in off)
            what = f"`{off[0].name}` of `{name}` does not fire always"
            yield Finding("trigger-disabled", name, what, Mend(tuple(sql)))
        for version in {each.version for each in self.triggers} - {VERSION}:
            yield self._finding(
                "trigger-version",
                f"has triggers of version `{version}`, not `{VERSION}`",
            )
        for trigger in self.triggers:
            if trigger.is_limited or trigger.type & _NOT_AFTER_STATEMENT:
                yield self._finding(
                    "trigger-altered",
                    f"has `{trigger.name}`, which does not fire once after each "
                    "statement",
                )
                return

    def _columns(self, sound: Sequence[Trigger]) -> Iterator[Finding]:
        missed = {
            name
            for trigger in sound
            for name in self.wanted.columns - names_in(trigger.columns)
        }
        if missed:
            listed = ", ".join(f"`{name}`" for name in self._in_order(missed))
            yield self._finding(
                "watch-misses-column", f"does not tell changes of {listed}"
            )

    def _keys(self, sound: Sequence[Trigger]) -> Iterator[Finding]:
        for trigger in sound:
            told = names_in(" , ".join(trigger.keys))
            for key in self.wanted.keys:
                needed = names_in(key) & self.columns.keys()
                if needed <= told and _has_constants(key, trigger.keys):
                    continue
                yield self._finding("watch-misses-key", f"does not tell the key {key}")
                return

    def _finding(self, code: str, what: str) -> Finding:
        name = self.wanted.table.sql
        return Finding(code, name, f"`{name}` {what}", self._mend())

    def _mend(self) -> Mend:
        wanted = self.wanted
        columns = ", ".join(
            self.columns[name] for name in self._in_order(wanted.columns)
        )
        if not (wanted.is_alone and wanted.keys and columns):
            return Mend(
                words=f"call authz.watch for `{wanted.table.sql}` with group "
                f"`{wanted.group}`, the columns {columns or 'that the view reads'}, "
                "and the keys as the relation has them"
            )
        arguments = [wanted.table.sql, wanted.group, columns, *wanted.keys]
        return Mend((f"call authz.watch({', '.join(map(_literal, arguments))});",))

    def _in_order(self, names: set[str]) -> list[str]:
        return [name for name in self.columns if name in names]


def _literal(text: str) -> str:
    # With quotes in it, it is easier to read between dollars.
    if "'" in text and "$" not in text:
        return f"$${text}$$"
    return "'" + text.replace("'", "''") + "'"


def _has_constants(key: str, told: Sequence[str]) -> bool:
    # How a kind that a view puts there is written, is up to whoever called watch.
    text = " ".join(told)
    return all(constant in text for constant in _CONSTANT.findall(key))
