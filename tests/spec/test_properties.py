"""Many short tests of one thing, which is what makes this long."""

from itertools import chain
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.spec.asking import (
    decide_visible,
    decide_writable,
    decisions_of,
    grants_more,
    grants_of,
    with_precedence,
    with_rows,
)
from tests.spec.interviews import interview, queries, stored_rows, told_rows
from tests.spec.pools import IDS, KINDS, Ids
from tests.spec.questions import (
    Question,
    asked_worlds,
    called_worlds,
    questions,
    requirements,
    resources,
)
from tests.spec.world import Document, Row, World, part, parts
from tests.spec.worlds import thorough
from tests.support.pipeline import ask_world

BAD_CREDENTIAL = {
    "allowed": False,
    "denial": "UNAUTHENTICATED",
    "reason": "INVALID_CREDENTIAL",
}
UNKNOWN_KIND = {
    "allowed": False,
    "denial": "INVALID",
    "reason": "UNKNOWN_RESOURCE_KIND",
}
# Whoever loses a row of these, in a world without doubled rows, loses a right at most.
GRANTING = {
    "principals": ("id",),
    "users": ("id",),
    "user_identities": ("issuer", "subject"),
    "api_keys": ("lookup_id",),
    "principal_memberships": ("member_principal_id", "parent_principal_id"),
    "cluster_access": (),
    "resources": ("kind", "id"),
    "feature_instances": ("id",),
    "roles": ("id",),
    "membership_roles": (),
    "feature_access": ("user_id", "feature_instance_id"),
    "feature_access_roles": (),
}


@given(call=questions(IDS["bigint"]))
@thorough(100)
async def test_default_deny_where_nothing_is_known(call: Question) -> None:
    """In an empty world nobody is allowed anything, and nobody is an error."""
    name, request = call
    world = World({}, KINDS)

    answer = await ask_world(world, name, request)

    assert not any(grants_of(answer))
    if "status" in answer:
        assert ["UNAUTHENTICATED", "INVALID_CREDENTIAL"] == [*answer.values()] or (
            answer["reason"] == "UNKNOWN_RESOURCE_KIND"
        )


@given(called=called_worlds())
@thorough(15)
async def test_an_unknown_user_is_unauthenticated_everywhere(
    called: tuple[World, Row],
) -> None:
    """Without a user, each answer is the same bad credential, after the kind."""
    world, caller = called
    nobody = with_rows(world, "users", [])

    for call, request in interview(_ids(world), caller):
        answer = await ask_world(nobody, call, request)

        if "status" in answer and answer["reason"] != "UNKNOWN_RESOURCE_KIND":
            assert {
                "status": "UNAUTHENTICATED",
                "reason": "INVALID_CREDENTIAL",
            } == answer
        for decision in decisions_of(answer):
            assert decision in (BAD_CREDENTIAL, UNKNOWN_KIND)


@given(called=called_worlds(), data=st.data())
@thorough(100)
async def test_losing_a_fact_never_grants_more(
    called: tuple[World, Row], data: st.DataObject
) -> None:
    """Whichever row of those that grant is removed, nobody gains a right."""
    world, caller = called
    before = with_precedence(_without_doubles(world), "union")
    relation = data.draw(st.sampled_from(list(GRANTING)))
    rows = before.document[relation]
    removed = data.draw(st.integers(0, len(rows)))
    after = with_rows(before, relation, rows[:removed] + rows[removed + 1 :])

    for call, request in _brief_interview(world, caller):
        first = await ask_world(before, call, request)
        second = await ask_world(after, call, request)

        assert not grants_more(second, first)


@given(called=called_worlds(), data=st.data())
@thorough(100)
async def test_disabling_a_membership_never_grants_more(
    called: tuple[World, Row], data: st.DataObject
) -> None:
    """A membership that is disabled takes rights away, under both precedences."""
    world, caller = called
    before = _without_doubles(world)
    rows = before.document["principal_memberships"]
    chosen = data.draw(st.integers(0, len(rows)))
    disabled = [
        {**row, "enabled": False} if index == chosen else row
        for index, row in enumerate(rows)
    ]
    after = with_rows(before, "principal_memberships", disabled)

    for call, request in _brief_interview(world, caller):
        first = await ask_world(before, call, request)
        second = await ask_world(after, call, request)

        assert not grants_more(second, first)


@given(asked=asked_worlds(), random=st.randoms(use_true_random=False))
@thorough(100)
async def test_row_order_never_matters(
    asked: tuple[World, list[Question]], random: Random
) -> None:
    """A world whose rows are shuffled gives the same answers."""
    world, asked_questions = asked
    document: Document = {
        relation: random.sample(rows, len(rows))
        for relation, rows in world.document.items()
    }
    shuffled = World(
        document, world.kinds, world.role_precedence, world.organization_id_type
    )

    for call, request in asked_questions:
        first = await ask_world(world, call, request)
        second = await ask_world(shuffled, call, request)

        assert first == second


@given(called=called_worlds())
@thorough(100)
async def test_highest_scope_never_grants_more_than_union(
    called: tuple[World, Row],
) -> None:
    """Whatever highest_scope permits, union permits too."""
    world, caller = called
    request: Row = {"caller": caller, "queries": list(queries(_ids(world), caller))}

    union, highest = [
        await ask_world(with_precedence(world, each), "GetPermissions", request)
        for each in ("union", "highest_scope")
    ]

    assert not grants_more(highest, union)


@given(called=called_worlds())
@thorough(60)
async def test_foreign_equals_missing(called: tuple[World, Row]) -> None:
    """Rows that a caller may not see and rows that are not there look alike."""
    world, caller = called
    ids = _ids(world)
    rows = [*stored_rows(ids), *told_rows(ids)]
    missing: Row = {"caller": caller, "resources": [{"kind": "model", "id": "gone"}]}
    asked: Row = {"caller": caller, "resources": rows}

    (nothing,) = await decide_visible(world, missing)
    unseen = [
        decision
        for decision in chain(
            await decide_visible(world, asked), await decide_writable(world, asked)
        )
        if decision.denial == nothing.denial and decision.reason == nothing.reason
    ]

    assert {nothing.SerializeToString()} >= {
        each.SerializeToString() for each in unseen
    }


@given(called=called_worlds(), data=st.data())
@thorough(100)
async def test_writable_implies_visible(
    called: tuple[World, Row], data: st.DataObject
) -> None:
    """What may be changed may be seen; of what may be seen, only that is judged."""
    world, caller = called
    each = resources(_ids(world))
    rows = data.draw(st.lists(each, min_size=1, max_size=20))
    request: Row = {"caller": caller, "resources": rows}

    visible = await decide_visible(world, request)
    writable = await decide_writable(world, request)
    alone = await decide_writable(world, {**request, "skip_visible": True})

    for seen, changed, judged in zip(visible, writable, alone, strict=True):
        assert changed == (judged if seen.allowed else seen)


@given(called=called_worlds(), data=st.data())
@thorough(60)
async def test_one_call_answers_as_many(
    called: tuple[World, Row], data: st.DataObject
) -> None:
    """An element's answer does not depend on what else is asked with it."""
    world, caller = called
    each = requirements(_ids(world), caller)
    wanted = data.draw(st.lists(each, min_size=2, max_size=5))

    together = await _authorize(world, caller, wanted)
    alone = [await _authorize(world, caller, [each]) for each in wanted]

    assert parts(together, "decisions") == [
        part(answer, "decision")
        if not part(answer, "decision")["allowed"]
        else parts(answer, "decisions")[0]
        for answer in alone
    ]


@given(called=called_worlds(), data=st.data())
@thorough(60)
async def test_the_verdict_is_the_first_that_fails_a_visibility_first(
    called: tuple[World, Row], data: st.DataObject
) -> None:
    """All must hold; of those that fail, a `visible` one is told before the others."""
    world, caller = called
    each = requirements(_ids(world), caller)
    wanted = data.draw(st.lists(each, min_size=1, max_size=6))

    answer = await _authorize(world, caller, wanted)

    told = parts(answer, "decisions")
    failed = [
        (decision, requirement)
        for decision, requirement in zip(told, wanted, strict=True)
        if not decision["allowed"]
    ]
    unseen = [decision for decision, requirement in failed if "visible" in requirement]
    expected = [*unseen, *(decision for decision, _ in failed)]
    all_hold: Row = {"allowed": True, "reason": "ALL_HOLD"}
    assert (expected or [all_hold])[0] == part(answer, "decision")


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.owner])
@pytest.mark.parametrize(
    ("call", "question"),
    [
        ("CheckVisible", "resources"),
        ("CheckWritable", "resources"),
        ("CheckCreatable", "new"),
        ("Authorize", "visible"),
        ("Authorize", "writable"),
        ("Authorize", "creatable"),
    ],
)
async def test_an_omitted_owner_never_reads_as_global(
    kind: str, call: str, question: str
) -> None:
    """Attributes that say neither an owner nor `global` are refused, not guessed."""
    told: Row = {"kind": kind, "id": "1", "attributes": {}}
    contents: dict[str, Row] = {
        "resources": {"resources": [told]},
        "new": {"resources": [{"kind": kind}]},
        "visible": {"requirements": [{"visible": told}]},
        "writable": {"requirements": [{"writable": {"resource": told}}]},
        "creatable": {"requirements": [{"creatable": {"kind": kind}}]},
    }
    request: Row = {"caller": {"user_id": "1"}, **contents[question]}

    answer = await ask_world(World({}, KINDS), call, request)

    assert {"status": "INVALID_ARGUMENT", "reason": "MALFORMED_FIELD"} == answer


def _ids(world: World) -> Ids:
    return IDS[world.organization_id_type]


def _brief_interview(world: World, caller: Row) -> list[Question]:
    """The decisions and permissions of an interview, about some of its rows."""
    ids = _ids(world)
    rows = [*stored_rows(ids), *list(told_rows(ids))[::3]]
    asked: Row = {"caller": caller, "resources": rows}
    new: list[Row] = [{"kind": "model", "global": True}]
    new += [{"kind": "model", "owner_principal_id": each} for each in ids.all]
    return [
        ("CheckVisible", asked),
        ("CheckWritable", asked),
        ("CheckCreatable", {"caller": caller, "resources": new}),
        ("CheckRole", {"caller": caller, "gate": {"platform_admin": True}}),
        (
            "GetPermissions",
            {"caller": caller, "queries": list(queries(ids, caller))},
        ),
    ]


def _without_doubles(world: World) -> World:
    document = {
        relation: list(
            {
                tuple(row.get(column) for column in GRANTING.get(relation, ()))
                if GRANTING.get(relation)
                else index: row
                for index, row in enumerate(rows)
            }.values()
        )
        for relation, rows in world.document.items()
    }
    return World(
        document, world.kinds, world.role_precedence, world.organization_id_type
    )


async def _authorize(world: World, caller: Row, wanted: list[Row]) -> Row:
    request: Row = {"caller": caller, "requirements": wanted}
    return await ask_world(world, "Authorize", request)
