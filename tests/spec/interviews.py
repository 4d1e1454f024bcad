"""Every question worth asking about one caller: cheaper than to draw them at random."""

from collections.abc import Iterator
from itertools import product

from tests.spec.pools import ITEMS, KIND_NAMES, KINDS, UNDECLARED, Ids
from tests.spec.questions import Question
from tests.spec.world import Kind, Row

GATES: tuple[Row, ...] = (
    {"platform_admin": True},
    {"any_of_org_roles": {"roles": ["ADMIN"]}},
    {"any_of_org_roles": {"roles": ["USER"]}},
    {"any_of_org_roles": {"roles": ["USER", "ADMIN"]}},
)


PARTS = 3
OPERATIONS = ("READ", "CREATE", "UPDATE", "DELETE")


def interview(ids: Ids, caller: Row, part: int = 0) -> Iterator[Question]:
    """Every call about one caller, with one of `PARTS` parts of all rows there are."""
    rows = [*stored_rows(ids), *told_rows(ids)][part::PARTS]
    yield "ResolveContext", {"caller": caller}
    for each in ids.all:
        yield "ResolveContext", {"caller": {**caller, "organization_id": each}}
    yield "ListContexts", {"caller": caller}
    yield "CheckVisible", {"caller": caller, "resources": rows}
    yield "CheckWritable", {"caller": caller, "resources": rows}
    alone = {"resources": rows, "skip_visible": True}
    yield "CheckWritable", {"caller": caller, **alone}
    yield "CheckCreatable", {"caller": caller, "resources": list(_new_rows(ids))}
    for gate in GATES:
        yield "CheckRole", {"caller": caller, "gate": gate}
    asked_of_roles = list(queries(ids, caller))
    yield "GetPermissions", {"caller": caller, "queries": asked_of_roles}
    wanted = list(_permissions(asked_of_roles[part::PARTS][:2]))
    yield "Authorize", {"caller": caller, "requirements": wanted}
    for filters in _filters(asked_of_roles):
        yield "GetListFilter", {"caller": caller, **filters}


def stored_rows(ids: Ids) -> Iterator[Row]:
    """Every row that the sidecar may have to look up."""
    for kind, key in product(KIND_NAMES, ids.clusters):
        yield {"kind": kind, "id": key}


def told_rows(ids: Ids) -> Iterator[Row]:
    """Rows with attributes, of every kind and owner, in some clusters."""
    for name in KIND_NAMES:
        kind = KINDS.get(name, UNDECLARED)
        keys = ids.clusters[: 2 if kind.visibility == "CLUSTER" else 1]
        clusters: list[Row] = [{}]
        if kind.cluster:
            clusters += [{"cluster_id": each} for each in ids.clusters[:2]]
        for key, owner, cluster in product(keys, _owners(ids, kind), clusters):
            yield {"kind": name, "id": key, "attributes": {**owner, **cluster}}


def queries(ids: Ids, caller: Row) -> Iterator[Row]:
    """Every permission query that is well-formed for the caller."""
    instances: list[Row] = [{}]
    if names_context(caller):
        named = (*ids.instances, ids.nobody)
        instances += [{"feature_instance_id": each} for each in named]
    items: list[Row] = [{}]
    items += [{"item": item} for item in (*ITEMS, "a.b.c.d")]
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


def _permissions(asked_of_roles: list[Row]) -> Iterator[Row]:
    for query in asked_of_roles:
        yield {"permission": {"query": query, "operation": "VIEW"}}
        for operation, level in product(OPERATIONS, ("MY", "GROUP", "ALL")):
            needed = {"operation": operation, "least_level": level}
            yield {"permission": {"query": query, **needed}}


def _new_rows(ids: Ids) -> Iterator[Row]:
    for name in KIND_NAMES:
        for owner in _owners(ids, KINDS.get(name, UNDECLARED)):
            yield {"kind": name, **owner}


def _owners(ids: Ids, kind: Kind) -> list[Row]:
    if not kind.owner:
        return [{}, {"global": True}]
    owners = (*ids.own[:2], *ids.organizations[:2])
    found: list[Row] = [{"global": True}]
    return found + [{"owner_principal_id": each} for each in owners]


def _filters(asked_of_roles: list[Row]) -> Iterator[Row]:
    for kind in KIND_NAMES:
        yield {"kind": kind}
    data = [query for query in asked_of_roles if query["context"] == "DATA"]
    for index, query in enumerate(data[::3]):
        yield {"kind": KIND_NAMES[index % len(KIND_NAMES)], "permission": query}
