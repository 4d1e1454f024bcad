"""The commands `member`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from typing_extensions import override

from sidecar.command.errands import Administering, Looking
from sidecar.command.problems import OptionError
from sidecar.store.steward.deeds import OrgRoleWish

if TYPE_CHECKING:
    from sidecar.settings import Settings
    from sidecar.store.steward.pairs import Place, Who
    from sidecar.store.steward.turn import Errand, Look

Org = Annotated[
    str | None,
    typer.Option(help="The organization: its principal's id or unique name."),
]
Group = Annotated[
    str | None, typer.Option(help="The group: its principal's id or unique name.")
]
User = Annotated[str | None, typer.Option(help="The user: id or unique name.")]
Principal = Annotated[
    str | None, typer.Option(help="The user by their own principal: id or unique name.")
]


@dataclass(frozen=True, kw_only=True)
class _OfPair(Administering):
    org: Org = None
    group: Group = None
    user: User = None
    principal: Principal = None

    def place(self) -> "Place":
        """Where; raises OptionError when it is not said once."""
        place = _place(self.org, self.group)
        if place is None:
            raise OptionError("where? give one of --org, --group")
        return place

    def who(self) -> "Who":
        """Who; raises OptionError when it is not said once."""
        who = _who(self.user, self.principal)
        if who is None:
            raise OptionError("who? give one of --user, --principal")
        return who


@dataclass(frozen=True, kw_only=True)
class AddMember(_OfPair):
    """Makes a user a member of an organization or a group, or changes the role."""

    role: Annotated[
        OrgRoleWish | None,
        typer.Option(
            help="The org role. Unset: none for a new member, no change for another."
        ),
    ] = None

    @override
    def errand(self, settings: "Settings") -> "Errand":
        from sidecar.store.steward import members  # noqa: PLC0415

        del settings
        return members.AddMember(self.place(), self.who(), self.role)


@dataclass(frozen=True, kw_only=True)
class RemoveMember(_OfPair):
    """Ends a membership; its row stays, marked as deleted."""

    @override
    def errand(self, settings: "Settings") -> "Errand":
        from sidecar.store.steward import members  # noqa: PLC0415

        del settings
        return members.RemoveMember(self.place(), self.who())


@dataclass(frozen=True, kw_only=True)
class DisableMember(_OfPair):
    """Suspends a membership with its roles, until it is enabled."""

    @override
    def errand(self, settings: "Settings") -> "Errand":
        from sidecar.store.steward import members  # noqa: PLC0415

        del settings
        return members.DisableMember(self.place(), self.who())


@dataclass(frozen=True, kw_only=True)
class EnableMember(_OfPair):
    """Puts a disabled membership in force again."""

    @override
    def errand(self, settings: "Settings") -> "Errand":
        from sidecar.store.steward import members  # noqa: PLC0415

        del settings
        return members.EnableMember(self.place(), self.who())


@dataclass(frozen=True, kw_only=True)
class ListMembers(Looking):
    """Memberships, of an organization, a group or a user, or all."""

    org: Org = None
    group: Group = None
    user: User = None
    principal: Principal = None
    removed: Annotated[
        bool, typer.Option("--removed", help="Those that ended as well.")
    ] = False

    @override
    def look(self) -> "Look":
        from sidecar.store.steward import members  # noqa: PLC0415

        place = _place(self.org, self.group)
        who = _who(self.user, self.principal)
        return members.ListMembers(place, who, self.limit, self.removed)


def _place(org: str | None, group: str | None) -> "Place | None":
    from sidecar.store.steward.pairs import Place  # noqa: PLC0415

    if org is not None and group is not None:
        raise OptionError("give one of --org, --group, not both")
    if org is not None:
        return Place("org", org)
    return None if group is None else Place("group", group)


def _who(user: str | None, principal: str | None) -> "Who | None":
    from sidecar.store.steward.pairs import Who  # noqa: PLC0415

    if user is not None and principal is not None:
        raise OptionError("give one of --user, --principal, not both")
    if user is not None:
        return Who("user", user)
    return None if principal is None else Who("principal", principal)
