"""The commands `cluster`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from typing_extensions import override

from sidecar.command.errands import Administering, Looking

if TYPE_CHECKING:
    from sidecar.settings import Settings
    from sidecar.store.steward.turn import Errand, Look

Cluster = Annotated[str, typer.Option(help="The cluster's id.")]
To = Annotated[
    str,
    typer.Option(help="The principal, a user's, a group or an org: id or unique name."),
]


@dataclass(frozen=True, kw_only=True)
class GrantCluster(Administering):
    """Lets a principal use a cluster, and with an organization its members."""

    cluster: Cluster
    to: To

    @override
    def errand(self, settings: "Settings") -> "Errand":
        from sidecar.store.steward import clusters  # noqa: PLC0415
        from sidecar.tools.administering import cluster_kinds  # noqa: PLC0415

        return clusters.GrantCluster(self.cluster, self.to, cluster_kinds(settings))


@dataclass(frozen=True, kw_only=True)
class RevokeCluster(Administering):
    """Takes the use of a cluster back from a principal."""

    cluster: Cluster
    to: To

    @override
    def errand(self, settings: "Settings") -> "Errand":
        from sidecar.store.steward import clusters  # noqa: PLC0415

        del settings
        return clusters.RevokeCluster(self.cluster, self.to)


@dataclass(frozen=True, kw_only=True)
class ListGrants(Looking):
    """Cluster grants, of a cluster, to a principal, or all."""

    cluster: Annotated[str | None, typer.Option(help="Of this cluster only: id.")] = (
        None
    )
    to: Annotated[
        str | None, typer.Option(help="To this principal only: id or unique name.")
    ] = None

    @override
    def look(self) -> "Look":
        from sidecar.store.steward import clusters  # noqa: PLC0415

        return clusters.ListGrants(self.cluster, self.to, self.limit)
