"""Requirements as the API would take them, in bare JSON: what the edge has asked."""

from collections.abc import Sequence
from typing import assert_never

from sidecar.audit.record import Json
from sidecar.core.authorize import (
    MayCreateOwn,
    MustBeCreatable,
    MustBeVisible,
    MustBeWritable,
    MustPass,
    MustPermit,
    NamedResource,
    Requirement,
)
from sidecar.core.decision import Denied
from sidecar.core.gates import OrgRoleGate, PlatformAdminGate, RoleGate
from sidecar.core.ids import PrincipalId
from sidecar.core.model import TenantContext
from sidecar.core.permissions import PermissionQuery

_Fields = dict[str, Json]


def wanted(
    requirements: Sequence[Requirement], context: TenantContext | Denied
) -> list[Json]:
    """The requirements of an `Authorize` that asks the same.

    Whose a new row would be is said by `context`, where the edge leaves it open.
    """
    own = None if isinstance(context, Denied) else context.write_principal_id
    return [_requirement(each, own) for each in requirements]


def _requirement(  # noqa: PLR0911  one for each kind
    requirement: Requirement, own: PrincipalId | None
) -> _Fields:
    match requirement:
        case MustBeVisible(resource):
            return {"visible": _resource(resource)}
        case MustBeWritable(resource, skip_visible):
            row = _resource(resource)
            return {"writable": {"resource": row, "skip_visible": skip_visible}}
        case MustBeCreatable(kind, owner):
            owned: _Fields = {"global": True} if owner is None else _owned(owner)
            return {"creatable": {"kind": kind, **owned}}
        case MayCreateOwn(kind):
            return {"creatable": {"kind": kind, **({} if own is None else _owned(own))}}
        case MustPass(gate):
            return {"role": _gate(gate)}
        case MustPermit(query, operation, least):
            return {
                "permission": {
                    "query": _query(query),
                    "operation": operation.name,
                    "least_level": least.name,
                }
            }
        case _:
            assert_never(requirement)


def _owned(owner: PrincipalId) -> _Fields:
    return {"owner_principal_id": owner}


def _resource(resource: NamedResource) -> _Fields:
    row: _Fields = {"kind": resource.kind, "id": resource.id}
    record = resource.record
    if record is None:
        return row
    owner = record.owner_principal_id
    attributes: _Fields = {"global": True} if owner is None else _owned(owner)
    if record.cluster_id is not None:
        attributes["cluster_id"] = record.cluster_id
    return {**row, "attributes": attributes}


def _gate(gate: RoleGate) -> _Fields:
    match gate:
        case PlatformAdminGate():
            return {"platform_admin": True}
        case OrgRoleGate(roles):
            return {"any_of_org_roles": {"roles": sorted(each.name for each in roles)}}
        case _:
            assert_never(gate)


def _query(query: PermissionQuery) -> _Fields:
    found: _Fields = {"context": query.context.name}
    if query.item is not None:
        found["item"] = query.item
    if query.feature_instance_id is not None:
        found["feature_instance_id"] = query.feature_instance_id
    return found
