"""What a route demands, as requirements of `Authorize`."""

from collections.abc import Sequence

from authz.v1 import resource_pb2

from sidecar.command.bare_json import Json, from_bare
from sidecar.command.words import requirement_words
from sidecar.tools.decision_records import Fields

CREATABLE = "creatable"


def sent(requirement: Fields) -> Fields:
    """A requirement as the API takes it, and without an owner where it creates."""
    match requirement:
        case {"permission": {"operation": "VIEW", "query": query}}:
            # There is no level of it, so the API takes none.
            return {"permission": {"operation": "VIEW", "query": query}}
        case {"creatable": {"kind": kind}}:
            return {CREATABLE: {"kind": kind}}
        case _:
            return requirement


def created(requirement: Fields, owner: str) -> Json:
    """The same, with an owner where it creates."""
    creatable = requirement.get(CREATABLE)
    if not isinstance(creatable, dict):
        return dict(requirement)
    return {CREATABLE: {**creatable, "owner_principal_id": owner}}


def other_demands(then: Sequence[Fields] | None, now: Sequence[Fields]) -> str:
    """That something else is demanded, for people."""
    return (
        "the route demands something else than then: "
        f"{_demands(now)}, and then {_demands(then or [])}"
    )


def _demands(wanted: Sequence[Fields]) -> str:
    found = (from_bare(each, resource_pb2.Requirement) for each in wanted)
    return ", ".join(map(requirement_words, found)) or "nothing"
