"""Asks the sidecar about a world, and reads answers as properties need them."""

from collections.abc import Iterator, Mapping
from typing import cast

from authz.v1 import authorization_service_pb2 as api
from authz.v1 import decision_pb2

from sidecar.command.bare_json import from_bare
from sidecar.core.ids import IdType
from sidecar.transport.grpc_api import AuthorizationServicer, Context
from tests.spec.world import Document, Row, World, part, parts
from tests.support.memory import MemoryFacts
from tests.support.pipeline import servicer_of

LEVEL_NAMES = ("NONE", "MY", "GROUP", "ALL")


class Call:
    """What a servicer looks at in a call's context."""

    def time_remaining(self) -> float | None:
        """No deadline."""
        return None


CALL = cast("Context", Call())


def servicer(world: World) -> AuthorizationServicer:
    """The sidecar over a world."""
    facts = MemoryFacts(world.document, IdType(world.organization_id_type))
    return servicer_of(facts, world.kinds, world.role_precedence)


async def decide_visible(world: World, request: Row) -> list[decision_pb2.Decision]:
    """The decisions of CheckVisible, as messages."""
    message = from_bare(request, api.CheckVisibleRequest)
    return list((await servicer(world).CheckVisible(message, CALL)).decisions)


async def decide_writable(world: World, request: Row) -> list[decision_pb2.Decision]:
    """The decisions of CheckWritable, as messages."""
    message = from_bare(request, api.CheckWritableRequest)
    return list((await servicer(world).CheckWritable(message, CALL)).decisions)


def decisions_of(answer: Row) -> list[Row]:
    """Every decision that an answer carries."""
    single = [part(answer, "decision")] if "decision" in answer else []
    return [*single, *parts(answer, "decisions")]


def grants_of(answer: Row) -> Iterator[int]:
    """How much an answer grants, as numbers to be compared one by one."""
    for decision in decisions_of(answer):
        yield int(bool(decision["allowed"]))
    for permissions in parts(answer, "permissions"):
        yield int(bool(permissions["view"]))
        for operation in ("read", "create", "update", "delete"):
            yield LEVEL_NAMES.index(str(permissions[operation]))


def grants_more(after: Row, before: Row) -> bool:
    """Whether an answer grants what another one to the same question does not."""
    if "status" in after:
        return False
    if "status" in before:
        return any(grants_of(after))
    pairs = zip(grants_of(after), grants_of(before), strict=True)
    return any(later > earlier for later, earlier in pairs)


def with_rows(world: World, relation: str, rows: list[Row]) -> World:
    """The same world with other rows in one relation."""
    document: Document = {**world.document, relation: rows}
    return World(
        document, world.kinds, world.role_precedence, world.organization_id_type
    )


def with_precedence(world: World, role_precedence: str) -> World:
    """The same world under the other setting."""
    return World(
        world.document, world.kinds, role_precedence, world.organization_id_type
    )


def selects(chosen: Mapping[str, object], row: Mapping[str, str | None]) -> bool:
    """Whether a `ListFilter` in JSON selects a row, by its fields."""
    if "condition" not in chosen:
        return "everything" in chosen
    return _holds(part(dict(chosen), "condition"), row)


def _holds(condition: Row, row: Mapping[str, str | None]) -> bool:
    (node,) = condition
    inner = part(condition, node)
    match node:
        case "all_of":
            return all(_holds(each, row) for each in parts(inner, "conditions"))
        case "any_of":
            return any(_holds(each, row) for each in parts(inner, "conditions"))
        case "equals":
            return row[str(inner["field"])] == inner["value"]
        case "in":
            values = inner["values"]
            return isinstance(values, list) and row[str(inner["field"])] in values
        case _:
            raise AssertionError(node)
