"""Every question worth asking about one caller: cheaper than to draw them at random."""

from collections.abc import Iterator
from itertools import product

from tests.spec.questions import Question
from tests.spec.world import Kind, Row
from tests.spec.worlds import ITEMS, KINDS, Ids, cluster_ids, instance_ids

OTHER = Kind("OWNED", owner=True, cluster=True)  # what may be said of an unknown kind
KIND_NAMES = (*KINDS, "ghost")
GATES: tuple[Row, ...] = (
    {"platform_admin": True},
    {"any_of_org_roles": {"roles": ["ADMIN"]}},
    {"any_of_org_roles": {"roles": ["USER"]}},
    {"any_of_org_roles": {"roles": ["USER", "ADMIN"]}},
)


def interview(ids: Ids, caller: Row) -> Iterator[Question]:
    """Every call about one caller, with all that it can be asked about."""
    everything = [*stored_rows(ids), *told_rows(ids)]
    yield "ResolveContext", {"caller": caller}
    yield "ListContexts", {"caller": caller}
    yield "CheckVisible", {"caller": caller, "resources": everything}
    for skip in (False, True):
        asked = {"resources": everything, "skip_visible": skip}
        yield "CheckWritable", {"caller": caller, **asked}
    yield "CheckCreatable", {"caller": caller, "resources": list(_new_rows(ids))}
    for gate in GATES:
        yield "CheckRole", {"caller": caller, "gate": gate}
    asked_of_roles = list(queries(ids, caller))
    yield "GetPermissions", {"caller": caller, "queries": asked_of_roles}
    for filters in _filters(asked_of_roles):
        yield "GetListFilter", {"caller": caller, **filters}


def stored_rows(ids: Ids) -> Iterator[Row]:
    """Every row that the sidecar may have to look up."""
    for kind, key in product(KIND_NAMES, cluster_ids(ids)):
        yield {"kind": kind, "id": key}


def told_rows(ids: Ids) -> Iterator[Row]:
    """Rows with attributes, of every kind, owner and cluster."""
    for name, key in product(KIND_NAMES, cluster_ids(ids)[:2]):
        kind = KINDS.get(name, OTHER)
        clusters: list[Row] = [{}]
        if kind.cluster:
            clusters += [{"cluster_id": each} for each in cluster_ids(ids)]
        for owner, cluster in product(_owners(ids, kind), clusters):
            yield {"kind": name, "id": key, "attributes": {**owner, **cluster}}


def queries(ids: Ids, caller: Row) -> Iterator[Row]:
    """Every permission query that is well-formed for the caller."""
    instances: list[Row] = [{}]
    if names_context(caller):
        named = (*instance_ids(ids), ids.nobody)
        instances += [{"feature_instance_id": each} for each in named]
    items: list[Row] = [{}, *({"item": item} for item in (*ITEMS, "a.b.c.d"))]
    for item, instance in product(items, instances):
        yield {"context": "DATA", **item, **instance}
    for context, instance in product(("UI", "RESOURCE"), instances[:2]):
        yield {"context": context, "item": "a.b", **instance}


def names_context(caller: Row) -> bool:
    """Whether the caller may name a feature instance."""
    return (
        "api_key" in caller
        or "pinned_principal_id" in caller
        or bool(caller.get("organization_id"))
    )


def _new_rows(ids: Ids) -> Iterator[Row]:
    for name in KIND_NAMES:
        for owner in _owners(ids, KINDS.get(name, OTHER)):
            yield {"kind": name, **owner}


def _owners(ids: Ids, kind: Kind) -> list[Row]:
    if not kind.owner:
        return [{}, {"global": True}]
    owners = (*ids.own, *ids.organizations[:2], ids.groups[0])
    return [{"global": True}, *({"owner_principal_id": each} for each in owners)]


def _filters(asked_of_roles: list[Row]) -> Iterator[Row]:
    for kind in KIND_NAMES:
        yield {"kind": kind}
    data = [query for query in asked_of_roles if query["context"] == "DATA"]
    for index, query in enumerate(data[::3]):
        yield {"kind": KIND_NAMES[index % len(KIND_NAMES)], "permission": query}
