from collections.abc import Iterator
from itertools import product

from hypothesis import given

from tests.spec.asking import decisions_of, selects
from tests.spec.pools import IDS, KINDS, Ids
from tests.spec.questions import called_worlds
from tests.spec.world import Kind, Row, World, part
from tests.spec.worlds import thorough
from tests.support.pipeline import ask_world

SEE_ALL = {"BYPASS_SYSTEM", "BYPASS_PLATFORM_ADMIN"}


@given(called=called_worlds())
@thorough(40)
async def test_filter_equals_checks(called: tuple[World, Row]) -> None:
    """A list filter selects the rows that are visible, global OWNED rows aside."""
    world, caller = called
    for name, kind in KINDS.items():
        rows = list(_rows(_ids(world), name, kind))

        listed = await _list(world, {"caller": caller, "kind": name}, rows)
        visible = await _see(world, {"caller": caller, "resources": rows})

        for row, decision, selected in zip(rows, visible, listed, strict=True):
            is_exception = (
                kind.visibility == "OWNED"
                and kind.owner
                and "global" in part(row, "attributes")
                and decision["reason"] not in SEE_ALL
            )
            assert selected == (bool(decision["allowed"]) and not is_exception)


@given(called=called_worlds())
@thorough(40)
async def test_a_permission_never_widens_a_filter(called: tuple[World, Row]) -> None:
    """Whatever a read level reaches, no row comes in that tenancy leaves out."""
    world, caller = called
    for name in ("model", "worker", "template"):
        rows = list(_rows(_ids(world), name, KINDS[name]))
        query: Row = {"context": "DATA", "item": "a.b"}
        question: Row = {"caller": caller, "kind": name}

        by_tenancy = await _list(world, question, rows)
        by_both = await _list(world, {**question, "permission": query}, rows)

        assert [] == [
            row
            for row, selected, both in zip(rows, by_tenancy, by_both, strict=True)
            if both and not selected
        ]


def _ids(world: World) -> Ids:
    return IDS[world.organization_id_type]


def _rows(ids: Ids, name: str, kind: Kind) -> Iterator[Row]:
    """Rows of a kind with attributes, of every owner and in every cluster."""
    owners: list[Row] = [{"global": True}]
    if kind.owner:
        owners += [{"owner_principal_id": each} for each in ids.all]
    clusters: list[Row] = [{}]
    if kind.cluster:
        clusters += [{"cluster_id": each} for each in ids.clusters]
    keys = ids.clusters if kind.visibility == "CLUSTER" else ids.clusters[:1]
    for key, owner, cluster in product(keys, owners, clusters):
        yield {"kind": name, "id": key, "attributes": {**owner, **cluster}}


async def _see(world: World, request: Row) -> list[Row]:
    return decisions_of(await ask_world(world, "CheckVisible", request))


async def _list(world: World, question: Row, rows: list[Row]) -> list[bool]:
    """Which rows a filter selects; a filter that is refused selects none."""
    answer = await ask_world(world, "GetListFilter", question)
    if "filter" not in answer:
        return [False for _ in rows]
    return [selects(part(answer, "filter"), _fields(row)) for row in rows]


def _fields(row: Row) -> dict[str, str | None]:
    """The columns of an application's row; everyone here created and has every row."""
    known = part(row, "attributes")
    owner, cluster = known.get("owner_principal_id"), known.get("cluster_id")
    return {
        "ID": str(row["id"]),
        "OWNER_PRINCIPAL_ID": None if owner is None else str(owner),
        "CLUSTER_ID": None if cluster is None else str(cluster),
        "CREATED_BY": str(row["id"]),
        "ORGANIZATION_ID": None if owner is None else str(owner),
    }
