"""Random questions: requests of a valid shape, for every call, about a world's ids."""

from collections.abc import Sequence
from functools import cache
from typing import TypeVar

from hypothesis import strategies as st

from tests.spec.pools import (
    IDS,
    ISSUER,
    ITEMS,
    KIND_NAMES,
    KINDS,
    LOOKUP_IDS,
    SECRET,
    SUBJECTS,
    UNDECLARED,
    Ids,
)
from tests.spec.world import Kind, Row, World, part
from tests.spec.worlds import weighted, worlds

T = TypeVar("T")
Question = tuple[str, Row]

# Of one column type or another, though for some of them they are well-formed.
ODD_IDS = (
    "+9", "09", " 9", "9 ", "1_0", "-1", "-0", "\u0669", "\u00b2", "x", "9.0", "9\0",
    "9223372036854775807", "9223372036854775808", "2147483648",
    "C0000000-0000-4000-8000-00000000000A", "{c0000000-0000-4000-8000-00000000000a}",
    "c000000000004000800000000000000a", "c0000000-0000-4000-8000-00000000000a",
)  # fmt: skip
CALLS = (
    "ResolveContext",
    "ListContexts",
    "CheckVisible",
    "CheckWritable",
    "CheckCreatable",
    "CheckRole",
    "GetPermissions",
    "Authorize",
    "GetListFilter",
    "ValidateAccessRules",
)
LEVEL_NAMES = ("NONE", "MY", "GROUP", "ALL")


def mostly(likely: Sequence[T], *unlikely: T, times: int = 4) -> st.SearchStrategy[T]:
    """One of the likely values, each so many times as likely as each other one."""
    return st.sampled_from(weighted(likely, *unlikely, times=times))


@st.composite
def asked_worlds(draw: st.DrawFn, most: int = 8) -> tuple[World, list[Question]]:
    """A world and questions about it."""
    world = draw(worlds())
    asked = questions(IDS[world.organization_id_type])
    return world, draw(st.lists(asked, min_size=1, max_size=most))


@st.composite
def called_worlds(draw: st.DrawFn) -> tuple[World, Row]:
    """A world and somebody who asks."""
    world = draw(worlds())
    return world, draw(callers(IDS[world.organization_id_type]))


@st.composite
def met_worlds(draw: st.DrawFn, size: int) -> tuple[World, list[Row]]:
    """A world and so many who ask."""
    world = draw(worlds())
    each = callers(IDS[world.organization_id_type])
    return world, draw(st.lists(each, min_size=size, max_size=size))


@st.composite
def questions(draw: st.DrawFn, ids: Ids) -> Question:
    """A call and its request."""
    call = draw(st.sampled_from(CALLS))
    if call == "ValidateAccessRules":
        return call, {
            "rules": draw(st.lists(access_rules(ids), min_size=1, max_size=4))
        }
    caller = draw(callers(ids))
    return call, {"caller": caller, **draw(_content(ids, call, caller))}


@cache
def callers(ids: Ids) -> st.SearchStrategy[Row]:
    """A caller, mostly one who is somebody and asks for an organization."""
    one, *_ = ids.organizations
    asked: st.SearchStrategy[Row] = st.fixed_dictionaries(
        {
            "identity": st.one_of(_named(ids), _subject(), _key()),
            "organization_id": organization_ids(ids),
            "pinned_principal_id": mostly([None], one, *ids.all, times=50),
        }
    )
    return asked.map(_as_caller)


def _as_caller(asked: Row) -> Row:
    caller = dict(part(asked, "identity"))
    if asked["pinned_principal_id"] is not None and "api_key" not in caller:
        caller["pinned_principal_id"] = asked["pinned_principal_id"]
    if asked["organization_id"] is not None:
        caller["organization_id"] = asked["organization_id"]
    return caller


def organization_ids(ids: Ids) -> st.SearchStrategy[str | None]:
    """The raw text of a requested organization, mostly one that has members."""
    one, two, _ = ids.organizations
    others = (*ids.all, "", None, None, *ODD_IDS)
    return mostly([one, one, two, None], *others, times=15)


def _named(ids: Ids) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries({"user_id": mostly(_users(ids), ids.nobody, times=15)})


def _users(ids: Ids) -> tuple[str, ...]:
    """The users, those oftener who have memberships."""
    bob, cyd, ann = ids.own
    return ann, ann, bob, bob, cyd


def _subject() -> st.SearchStrategy[Row]:
    issuer, subject = mostly([ISSUER], "elsewhere"), st.sampled_from(SUBJECTS)
    named = st.fixed_dictionaries({"issuer": issuer, "subject": subject})
    return st.fixed_dictionaries({"subject": named})


def _key() -> st.SearchStrategy[Row]:
    good = [f"gpk_{lookup_id}_{SECRET}" for lookup_id in LOOKUP_IDS]
    bad = ("gpk_k1_wrong", f"gpk_k9_{SECRET}", "gpk_k1_", "gpk", f"gpk__{SECRET}")
    return st.fixed_dictionaries({"api_key": mostly(good, *bad, times=12)})


def _content(ids: Ids, call: str, caller: Row) -> st.SearchStrategy[Row]:
    match call:
        case "CheckVisible":
            parts = {"resources": _several(resources(ids))}
        case "CheckWritable":
            several = _several(resources(ids))
            parts = {"resources": several, "skip_visible": st.booleans()}
        case "CheckCreatable":
            parts = {"resources": _several(_new_resource(ids))}
        case "CheckRole":
            parts = {"gate": _gate()}
        case "GetPermissions":
            parts = {"queries": _several(queries(ids, caller))}
        case "Authorize":
            parts = {"requirements": _several(requirements(ids, caller))}
        case "GetListFilter":
            return _filter_question(ids, caller)
        case _:
            parts = {}
    return st.fixed_dictionaries(parts)


def _several(element: st.SearchStrategy[Row]) -> st.SearchStrategy[object]:
    return st.lists(element, min_size=1, max_size=4)


@st.composite
def resources(draw: st.DrawFn, ids: Ids) -> Row:
    """A row by its id, or with its attributes as its kind demands."""
    kind = draw(st.sampled_from(KIND_NAMES))
    named: Row = {"kind": kind, "id": draw(st.sampled_from(ids.all))}
    if draw(st.booleans()):
        named["attributes"] = draw(attributes(ids, kind))
    return named


@st.composite
def attributes(draw: st.DrawFn, ids: Ids, kind: str) -> Row:
    """What an application knows of a row."""
    declared = KINDS.get(kind, UNDECLARED)
    known = draw(_owner(ids, declared))
    if declared.cluster and draw(st.booleans()):
        known["cluster_id"] = draw(st.sampled_from(ids.all))
    return known


@st.composite
def _new_resource(draw: st.DrawFn, ids: Ids) -> Row:
    kind = draw(st.sampled_from(KIND_NAMES))
    declared = KINDS.get(kind, UNDECLARED)
    return {"kind": kind, **draw(_owner(ids, declared))}


@st.composite
def _owner(draw: st.DrawFn, ids: Ids, kind: Kind) -> Row:
    if not kind.owner:
        return draw(st.sampled_from([{}, {"global": True}]))
    owner = draw(mostly(ids.all, None, None, None))
    return {"global": True} if owner is None else {"owner_principal_id": owner}


def _gate() -> st.SearchStrategy[Row]:
    choices: list[Row] = [
        {"platform_admin": True},
        {"any_of_org_roles": {"roles": ["ADMIN"]}},
        {"any_of_org_roles": {"roles": ["USER"]}},
        {"any_of_org_roles": {"roles": ["USER", "ADMIN"]}},
    ]
    return st.sampled_from(choices)


@st.composite
def queries(draw: st.DrawFn, ids: Ids, caller: Row, context: str | None = None) -> Row:
    """A permission query as this caller may ask it."""
    contexts = mostly(["DATA"], "UI", "RESOURCE", times=3)
    query: Row = {"context": context or draw(contexts)}
    item = draw(mostly([*ITEMS, None, None], "a.b.c.d"))
    if item is not None:
        query["item"] = item
    has_organization = (
        "api_key" in caller
        or "pinned_principal_id" in caller
        or bool(caller.get("organization_id"))
    )
    if has_organization and draw(st.booleans()):
        instances = (ids.organizations[0], ids.own[0])
        query["feature_instance_id"] = draw(mostly(instances, ids.nobody))
    return query


@st.composite
def requirements(draw: st.DrawFn, ids: Ids, caller: Row) -> Row:
    """One condition of Authorize."""
    choice = draw(
        st.sampled_from(["visible", "writable", "creatable", "role", "permission"])
    )
    match choice:
        case "visible":
            return {"visible": draw(resources(ids))}
        case "writable":
            skip = draw(st.booleans())
            return {
                "writable": {"resource": draw(resources(ids)), "skip_visible": skip}
            }
        case "creatable":
            return {"creatable": draw(_new_resource(ids))}
        case "role":
            return {"role": draw(_gate())}
        case _:
            return {"permission": draw(_permission(ids, caller))}


@st.composite
def _permission(draw: st.DrawFn, ids: Ids, caller: Row) -> Row:
    query = draw(queries(ids, caller))
    operations = ["VIEW", "READ", "CREATE", "UPDATE", "DELETE"]
    operation = (
        draw(st.sampled_from(operations)) if query["context"] == "DATA" else "VIEW"
    )
    wanted: Row = {"query": query, "operation": operation}
    if operation != "VIEW":
        wanted["least_level"] = draw(st.sampled_from(["MY", "GROUP", "ALL"]))
    return wanted


@st.composite
def _filter_question(draw: st.DrawFn, ids: Ids, caller: Row) -> Row:
    question: Row = {"kind": draw(st.sampled_from(KIND_NAMES))}
    if draw(st.booleans()):
        question["permission"] = draw(queries(ids, caller, "DATA"))
    return question


@st.composite
def access_rules(draw: st.DrawFn, ids: Ids) -> Row:
    """A rule to be validated."""
    rule: Row = {
        "role_id": draw(st.sampled_from(ids.own[:2])),
        "context": draw(mostly(["DATA"], "UI", "RESOURCE")),
        "view": draw(st.booleans()),
    }
    item = draw(mostly([None, "a", "a.b"], "", "a..b", "a b", "a.\u2003", ".", "a."))
    if item is not None:
        rule["item"] = item
    for operation in ("read", "create", "update", "delete"):
        level = draw(mostly(LEVEL_NAMES, None))
        if level is not None:
            rule[operation] = level
    return rule
