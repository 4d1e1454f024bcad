"""The commands `role`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from typing_extensions import override

from sidecar.command.errands import Administering, Looking
from sidecar.command.problems import OptionError

if TYPE_CHECKING:
    from sidecar.settings import Settings
    from sidecar.store.steward.roles import Target
    from sidecar.store.steward.turn import Errand, Look

_FORMS = "--org with --user, --instance with --user, or --feature-access"


@dataclass(frozen=True, kw_only=True)
class _Assignment(Administering):
    role: Annotated[str, typer.Option(help="The role's id or unique label.")]
    user: Annotated[
        str | None, typer.Option(help="The user who holds it: id or unique name.")
    ] = None
    org: Annotated[
        str | None,
        typer.Option(help="On the user's membership in this organization: id or name."),
    ] = None
    instance: Annotated[
        str | None,
        typer.Option(help="On the user's feature access to this feature instance: id."),
    ] = None
    feature_access: Annotated[
        str | None, typer.Option(help="On this feature access: id.")
    ] = None

    def target(self) -> "Target":
        """What holds the role; raises OptionError when it is not said once."""
        from sidecar.store.steward import roles  # noqa: PLC0415

        match self.user, self.org, self.instance, self.feature_access:
            case str(user), str(organization), None, None:
                return roles.OnMembership(organization, user)
            case str(user), None, str(instance), None:
                return roles.OnInstance(instance, user)
            case None, None, None, str(feature_access):
                return roles.OnAccess(feature_access)
            case _:
                raise OptionError(f"on what? give {_FORMS}")


@dataclass(frozen=True, kw_only=True)
class AssignRole(_Assignment):
    """Gives a role, on a membership or on a feature access."""

    @override
    def errand(self, settings: "Settings") -> "Errand":
        from sidecar.store.steward import roles  # noqa: PLC0415

        del settings
        return roles.AssignRole(self.role, self.target())


@dataclass(frozen=True, kw_only=True)
class UnassignRole(_Assignment):
    """Takes a role away, from a membership or from a feature access."""

    @override
    def errand(self, settings: "Settings") -> "Errand":
        from sidecar.store.steward import roles  # noqa: PLC0415

        del settings
        return roles.UnassignRole(self.role, self.target())


@dataclass(frozen=True, kw_only=True)
class ListRoles(Looking):
    """Role assignments, with what they are on and whether that is in force."""

    role: Annotated[
        str | None, typer.Option(help="Of this role only: id or unique label.")
    ] = None
    user: Annotated[
        str | None, typer.Option(help="Of this user only: id or unique name.")
    ] = None
    org: Annotated[
        str | None, typer.Option(help="In this organization only: id or unique name.")
    ] = None

    @override
    def look(self) -> "Look":
        from sidecar.store.steward import roles  # noqa: PLC0415

        return roles.ListRoles(self.role, self.user, self.org, self.limit)
