"""`explain`: what was decided then beside what a running sidecar decides now."""

import re
from typing import cast

import pytest

from tests.command.explaining import Scene

HIDDEN = {"allowed": False, "denial": "NOT_FOUND", "reason": "RESOURCE_NOT_FOUND"}
STRANGER = {"allowed": False, "denial": "FORBIDDEN", "reason": "NOT_A_MEMBER"}


def of_ann(**question: object) -> dict[str, object]:
    """A question of user 10 in organization 1."""
    return {"caller": {"user_id": "10", "organization_id": "1"}, **question}


def rows(kind: str, *ids: str) -> list[dict[str, str]]:
    """Resources of a kind."""
    return [{"kind": kind, "id": each} for each in ids]


def allowed(reason: str) -> dict[str, object]:
    """An answer that allows."""
    return {"allowed": True, "reason": reason}


CONTEXT = {
    "user_id": "10",
    "is_platform_admin": False,
    "is_system": False,
    "current_principal_id": "1",
    "org_role": "USER",
    "accessible_cluster_ids": ["51"],
    "current_is_personal_scope": False,
    "bypass": False,
    "has_org_context": True,
    "write_principal_id": "1",
}
NOTHING = {
    "view": False,
    "read": "NONE",
    "create": "NONE",
    "update": "NONE",
    "delete": "NONE",
}
GATE = {"any_of_org_roles": {"roles": ["ADMIN"]}}
NO_ADMIN = {"allowed": False, "denial": "FORBIDDEN", "reason": "INSUFFICIENT_ORG_ROLE"}
LEVEL = {"allowed": False, "denial": "FORBIDDEN", "reason": "INSUFFICIENT_PERMISSION"}
MEMBER = (
    "update authz.principal_memberships set {} where id = 31",
    "enabled = false",
    "enabled = true",
)
ROLE = (MEMBER[0], "role = 'admin'", "role = 'user'")
GRANT = (
    "{} authz.cluster_access {}",
    "delete from|where cluster_id = 51",
    "insert into|(cluster_id, principal_id) values (51, 1)",
)
MORE = (
    GRANT[0],
    "insert into|(cluster_id, principal_id) values (50, 1)",
    "delete from|where cluster_id = 50",
)
GIVEN = (
    "update authz.resources set {} where kind = 'model' and id = 52",
    "owner_principal_id = 1",
    "owner_principal_id = 2",
)
HELD = (
    "{} authz.membership_roles {}",
    "insert into|(membership_id, role_id) values (31, 'reader')",
    "delete from|where membership_id = 31",
)
READS = {
    "permission": {
        "query": {"context": "DATA", "item": "data.x"},
        "operation": "READ",
        "least_level": "GROUP",
    }
}
EVERY = {"visible": {"kind": "cluster", "id": "51"}}
ORGANIZATION = {"kind": "ORGANIZATION", "principal_id": "1"}
OWN = {"kind": "PERSONAL", "principal_id": "101"}

# A call, its question, what changes and how that is undone, and each answer of then
# and of now.
CHANGES: list[tuple[str, dict[str, object], tuple[str, str, str], list[object]]] = [
    (
        "CheckVisible",
        of_ann(resources=rows("cluster", "51", "50")),
        MEMBER,
        [(allowed("GRANTED"), STRANGER), (HIDDEN, STRANGER)],
    ),
    (
        "CheckVisible",
        of_ann(resources=rows("cluster", "51", "50")),
        GRANT,
        [(allowed("GRANTED"), HIDDEN), (HIDDEN, HIDDEN)],
    ),
    (
        "CheckVisible",
        of_ann(resources=rows("cluster", "51", "50")),
        MORE,
        [(allowed("GRANTED"), allowed("GRANTED")), (HIDDEN, allowed("GRANTED"))],
    ),
    (
        "CheckVisible",
        of_ann(resources=rows("model", "52")),
        GIVEN,
        [(HIDDEN, allowed("OWNED"))],
    ),
    (
        "CheckWritable",
        of_ann(resources=rows("model", "52")),
        GIVEN,
        [(HIDDEN, NO_ADMIN)],
    ),
    (
        "CheckCreatable",
        of_ann(resources=[{"kind": "cluster", "owner_principal_id": "1"}]),
        ROLE,
        [({**NO_ADMIN, "denial": "INVALID"}, allowed("ORG_ADMIN"))],
    ),
    ("CheckRole", of_ann(gate=GATE), ROLE, [(NO_ADMIN, allowed("ORG_ROLE"))]),
    (
        "GetPermissions",
        of_ann(queries=[{"context": "DATA", "item": "data.x"}, {"context": "UI"}]),
        HELD,
        [
            (NOTHING, {**NOTHING, "view": True, "read": "GROUP", "create": "MY"}),
            (NOTHING, NOTHING),
        ],
    ),
    (
        "Authorize",
        of_ann(requirements=[EVERY, READS, {"role": GATE}]),
        HELD,
        [
            (allowed("GRANTED"), allowed("GRANTED")),
            (LEVEL, allowed("PERMITTED")),
            (NO_ADMIN, NO_ADMIN),
        ],
    ),
    (
        "ResolveContext",
        of_ann(),
        ROLE,
        [(CONTEXT, {**CONTEXT, "org_role": "ADMIN"})],
    ),
    ("ResolveContext", of_ann(), MEMBER, [(CONTEXT, STRANGER)]),
    (
        "ListContexts",
        of_ann(),
        MEMBER,
        [
            (
                {"contexts": [OWN, {**ORGANIZATION, "org_role": "USER"}]},
                {"contexts": [OWN]},
            )
        ],
    ),
]


@pytest.mark.parametrize(("call", "question", "change", "wanted"), CHANGES)
async def test_says_what_is_answered_in_another_way_since(
    scene: Scene,
    call: str,
    question: dict[str, object],
    change: tuple[str, str, str],
    wanted: list[tuple[object, object]],
) -> None:
    """Each answer of then stands beside that of now, both ways round."""
    form, do, undo = change
    parts = [form.format(*part.split("|")) for part in (do, undo)]
    before = await scene.ask(call, question)
    async with scene.changed(*parts):
        after = await scene.compared(before)
        decision = await scene.ask(call, question)
    back = await scene.compared(decision)

    told = [(then, now) for then, now in wanted]
    assert (1, False) == (after["code"], after["same"])
    assert told == answers(after)
    assert [(now, then) for then, now in told] == answers(back)
    assert 1 == back["code"]


async def test_says_that_nothing_changed(scene: Scene) -> None:
    """The same answer ends with 0, and explains all of it."""
    decision = await scene.ask(
        "CheckVisible", of_ann(resources=rows("cluster", "51", "50"))
    )
    told = await scene.compared(decision)
    code, out, err = await scene.explain(decision)

    assert (0, True, 0) == (told["code"], told["same"], told["changed"])
    assert (0, "") == (code, err)
    assert "what of this may user 10 in organization 1 see?\n" in out
    assert 2 == out.count("=> ")
    assert "the answer is the same as then\n" in out


async def test_explains_what_changed_and_nothing_else(scene: Scene) -> None:
    """Of several answers only those that differ now are explained, with advice."""
    decision = await scene.ask(
        "CheckVisible", of_ann(resources=rows("cluster", "51", "50"))
    )
    form, do, undo = GRANT
    parts = [form.format(*part.split("|")) for part in (do, undo)]
    async with scene.changed(*parts):
        code, out, _ = await scene.explain(decision)
        one, element, _ = await scene.explain(f"{decision}.1")

    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert 1 == code
    assert (
        "cluster/51 allowed GRANTED denied NOT_FOUND RESOURCE_NOT_FOUND CHANGED"
        in lines
    )
    assert ["now: cluster/51"] == [each for each in lines if each.startswith("now: ")]
    assert "authz-sidecar cluster grant --cluster 51 --to 1" in out
    assert "1 of 2 answers are other ones than then" in lines
    assert (0, 0) == (one, element.count("cluster/51"))


async def test_tells_which_facts_changed(scene: Scene) -> None:
    """All that changed since and nothing from before, as the server heard it."""
    form, do, undo = GRANT
    parts = [form.format(*part.split("|")) for part in (do, undo)]
    async with scene.changed(*parts):
        pass
    decision = await scene.ask(
        "CheckVisible", of_ann(resources=rows("cluster", "51", "50"))
    )
    nothing = await scene.compared(decision, "--changes")
    async with scene.changed(*parts):
        told = await scene.compared(decision, "--changes")
        _, out, _ = await scene.explain(decision, "--changes")

    assert [] == nothing["changes"]
    assert [{"group": "grants", "key": "1"}] == told["changes"]
    assert "changed since, of any tenant: grants 1\n" in out


async def test_says_when_the_server_has_forgotten(scene: Scene) -> None:
    """What changed before the server began to listen is not known to it."""
    decision = await scene.ask("CheckVisible", of_ann(resources=rows("cluster", "51")))
    log = scene.folder / "older.log"
    written = scene.log.read_text("utf-8")
    log.write_text(re.sub(r"\.s[0-9]+\"", '.s1"', written), "utf-8")
    told = await scene.compared(decision, "--changes", "--log", str(log))

    assert "changes" not in told
    notes = cast("list[str]", told["notes"])
    assert "which facts changed since is not known here" in notes[1]


def answers(document: dict[str, object]) -> list[tuple[object, object]]:
    """Then and now of each answer, without what explains it."""
    listed = cast("list[dict[str, dict[str, object]]]", document["answers"])
    return [(each["then"], plain(each["now"])) for each in listed]


def plain(answer: dict[str, object]) -> dict[str, object]:
    """An answer without its explanation."""
    beside = {"message", "explanation"}
    return {name: each for name, each in answer.items() if name not in beside}
