"""The commands `rule`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from typing_extensions import override

from sidecar.command.errands import Administering, Looking
from sidecar.command.problems import OptionError
from sidecar.core.model import AccessLevel, RuleContext

if TYPE_CHECKING:
    from sidecar.settings import Settings
    from sidecar.store.steward.turn import Errand, Look

_LEVELS = {
    word: level
    for level in AccessLevel
    for word in (level.name.lower(), level.name[0].lower())
}

Role = Annotated[str, typer.Option(help="The role's id or unique label.")]
Context = Annotated[
    RuleContext, typer.Option(case_sensitive=False, help="The area it holds in.")
]
Item = Annotated[
    str | None,
    typer.Option(help="What it is about, such as data.contract. Unset: everything."),
]
Level = Annotated[
    str | None, typer.Option(metavar="LEVEL", help="none, my, group or all.")
]


@dataclass(frozen=True, kw_only=True)
class SetRule(Administering):
    """Makes a role's rule what is said here, all of it; what is left out is none.

    In the context DATA read must be set, and no other level may exceed it.
    """

    role: Role
    context: Context
    item: Item = None
    view: Annotated[bool, typer.Option(help="Whether it may be seen.")] = False
    read: Level = None
    create: Level = None
    update: Level = None
    delete: Level = None

    @override
    def errand(self, settings: "Settings") -> "Errand":
        from sidecar.store.steward import rules  # noqa: PLC0415

        del settings
        given = {
            "read": self.read,
            "create": self.create,
            "update": self.update,
            "delete": self.delete,
        }
        levels = {
            name: _level(name, text) for name, text in given.items() if text is not None
        }
        wanted = rules.WantedRule(self.context, self.item, self.view, levels)
        return rules.SetRule(self.role, wanted)


@dataclass(frozen=True, kw_only=True)
class UnsetRule(Administering):
    """Deletes a role's rule, so that a less specific one counts, or none."""

    role: Role
    context: Context
    item: Item = None

    @override
    def errand(self, settings: "Settings") -> "Errand":
        from sidecar.store.steward import rules  # noqa: PLC0415

        del settings
        return rules.UnsetRule(self.role, self.context, self.item)


@dataclass(frozen=True, kw_only=True)
class ListRules(Looking):
    """Access rules, of a role, of a context, or all."""

    role: Annotated[
        str | None, typer.Option(help="Of this role only: id or unique label.")
    ] = None
    context: Annotated[
        RuleContext | None,
        typer.Option(case_sensitive=False, help="Of this context only."),
    ] = None

    @override
    def look(self) -> "Look":
        from sidecar.store.steward import rules  # noqa: PLC0415

        return rules.ListRules(self.role, self.context, self.limit)


def _level(name: str, text: str) -> AccessLevel:
    level = _LEVELS.get(text.strip().lower())
    if level is None:
        raise OptionError(
            f"--{name} `{text}` is no level, write none, my, group or all"
        )
    return level
