"""Rows that a question brings along, judged without reading anything."""

from collections.abc import Iterable, Mapping
from typing import Final

from sidecar.core.authorize import NamedResource, WholeRows
from sidecar.core.checks import Columns, OfResource, standings_of
from sidecar.core.decision import UNKNOWN_KIND, Decision
from sidecar.core.model import (
    Resource,
    ResourceKind,
    ResourceRecord,
    TenantContext,
)
from sidecar.service.checks import KindChecks

# A named tuple's own constructor takes twice the time.
_new: Final = tuple.__new__


def judge_rows(
    context: TenantContext,
    rows: WholeRows,
    kinds: Mapping[str, ResourceKind],
    checks: KindChecks,
) -> list[Decision]:
    """The same check for each row; those that stand alike are judged once."""
    if len(rows.columns) == 1:
        return [_judge_row(context, rows.columns[0], kinds, checks)]
    standings = standings_of(context, rows.columns)
    judged = {
        standing: _judge_row(context, columns, kinds, checks)
        for standing, columns in dict(zip(standings, rows.columns, strict=True)).items()
    }
    return [judged[each] for each in standings]


def _judge_row(
    context: TenantContext,
    columns: Columns,
    kinds: Mapping[str, ResourceKind],
    checks: KindChecks,
) -> Decision:
    name, owner, cluster = columns
    # By its columns, so under no id of its own.
    resource = _new(Resource, (kinds[name], "", owner, cluster))
    return checks[name].decide(_new(OfResource, (context, resource)))


def judge_given(
    context: TenantContext,
    resources: Iterable[NamedResource],
    kinds: Mapping[str, ResourceKind],
    checks: KindChecks,
) -> list[Decision] | None:
    """The same check for each resource; none if one is given without its row."""
    decisions: list[Decision] = []
    for named in resources:
        if named.record is None:
            return None
        kind = kinds.get(named.kind)
        if kind is None:
            decisions.append(UNKNOWN_KIND)
        else:
            asked = of_resource(context, kind, named, named.record)
            decisions.append(checks[named.kind].decide(asked))
    return decisions


def of_resource(
    context: TenantContext,
    kind: ResourceKind,
    named: NamedResource,
    record: ResourceRecord | None,
) -> OfResource:
    """What a check is asked of a row, cut down to what its kind carries."""
    if record is None:
        return _new(OfResource, (context, None))
    owner = record.owner_principal_id if kind.carries_owner else None
    cluster = record.cluster_id if kind.carries_cluster else None
    resource = _new(Resource, (kind, named.id, owner, cluster))
    return _new(OfResource, (context, resource))
