import asyncio
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import asyncpg
import pytest
from authz.v1 import authorization_service_pb2 as api
from authz.v1 import caller_pb2, decision_pb2, permission_pb2
from authz.v1.resource_pb2 import Requirement, Resource, RoleGate

from sidecar.command.advice import Advice, Asked, advise
from sidecar.command.bare_json import from_bare
from sidecar.command.program import main
from tests.support.serving import Place, Schema, Serving, Stage

EXPECTED = {
    "tenancy": {
        "INSUFFICIENT_ORG_ROLE member",
        "RESOURCE_NOT_FOUND cluster",
    },
    "permissions": {
        "INSUFFICIENT_ORG_ROLE member",
        "INSUFFICIENT_PERMISSION rule",
        "RESOURCE_NOT_FOUND cluster",
    },
}


@dataclass(frozen=True)
class Desk:
    """A sidecar, and the settings with which the command line changes its database."""

    serving: Serving
    config: Path
    world: str

    async def decide(
        self, caller: caller_pb2.Caller, *requirements: Requirement
    ) -> list[decision_pb2.Decision]:
        """The decisions as of now, explained."""
        request = api.AuthorizeRequest(
            caller=caller, requirements=requirements, explain=True
        )
        request.consistency.fully_consistent = True
        answer = await self.serving.stub("native").Authorize(request, timeout=10)
        return list(answer.decisions)

    async def hint(self, asked: Asked) -> tuple[str, str]:
        """The command that is offered now, and the reason against which it is."""
        (decision,) = await self.decide(asked.caller, asked.requirement)
        advice = advise(decision, asked)
        return "" if advice is None else advice.command, _reason(decision)

    async def run(self, command: str) -> int:
        """Carries out what a hint says."""
        program, *arguments = shlex.split(command)
        assert program == "authz-sidecar"
        return await asyncio.to_thread(main, [*arguments, "-c", str(self.config)])


@pytest.fixture(params=["tenancy", "permissions"])
async def desk(request: pytest.FixtureRequest, stage: Stage, tmp_path: Path) -> Desk:
    """A world of the decision cases, in a database of its own."""
    url = await stage.stored(Place(Schema.REFERENCE, request.param))
    config = tmp_path / "sidecar.yaml"
    config.write_text(f"database: {{url: '{url}'}}\n")
    return Desk(await stage.start(url), config, str(request.param))


async def test_every_command_that_is_offered_makes_it_allowed(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over all users, organizations and rows: a hint is offered only where it helps."""
    offered: set[str] = set()
    for caller, requirements in _questions(await _ids(desk)):
        decisions = await desk.decide(caller, *requirements)
        for requirement, decision in zip(requirements, decisions, strict=True):
            asked = Asked(caller, requirement)
            advice = advise(decision, asked)
            # What was done for another question may have settled this one.
            command, reason = (
                await desk.hint(asked) if _has_command(advice) else ("", "")
            )
            if command:
                offered.add(f"{reason} {command.split()[1]}")

                assert await desk.run(command) == 0, capsys.readouterr().err
                (after,) = await desk.decide(caller, requirement)
                assert after.allowed, f"{command} for {asked}"

    assert EXPECTED[desk.world] == offered


def _has_command(advice: Advice | None) -> bool:
    return advice is not None and bool(advice.command)


def _reason(decision: decision_pb2.Decision) -> str:
    return decision_pb2.Reason.Name(decision.reason).removeprefix("REASON_")


@dataclass(frozen=True)
class _Ids:
    users: list[str]
    organizations: list[str]
    rows: list[tuple[str, str]]
    items: list[str | None]


async def _ids(desk: Desk) -> _Ids:
    connection = await asyncpg.connect(desk.config.read_text().split("'")[1])
    try:
        users = await connection.fetch("select id::text from authz.users order by id")
        organizations = await connection.fetch(
            "select id::text from authz.principals where kind = 'org' order by id"
        )
        rows = await connection.fetch(
            "select distinct on (kind, owner_principal_id, cluster_id) kind, id::text"
            " from authz.resources order by kind, owner_principal_id, cluster_id, id"
        )
        items = await connection.fetch("select distinct item from authz.access_rules")
    finally:
        await connection.close()
    return _Ids(
        [each["id"] for each in users],
        [each["id"] for each in organizations],
        [(each["kind"], each["id"]) for each in rows],
        [None, *(f"{each['item']}.more" for each in items if each["item"])][:4],
    )


def _questions(ids: _Ids) -> Iterator[tuple[caller_pb2.Caller, list[Requirement]]]:
    """No more at once than may be explained."""
    for user, organization in product(ids.users, ["", *ids.organizations]):
        caller = caller_pb2.Caller(user_id=user, organization_id=organization)
        wanted = list(_requirements(ids, organization))
        for start in range(0, len(wanted), 20):
            yield caller, wanted[start : start + 20]


def _requirements(ids: _Ids, organization: str) -> Iterator[Requirement]:
    for kind, key in ids.rows:
        row = Resource(kind=kind, id=key)
        yield Requirement(visible=row)
        writable = {"resource": {"kind": kind, "id": key}}
        yield from_bare({"writable": writable}, Requirement)
    for owner in [organization] if organization else []:
        new = {"kind": "model", "owner_principal_id": owner}
        yield from_bare({"creatable": new}, Requirement)
    for roles in (["ADMIN"], ["USER"], ["USER", "ADMIN"]):
        gate = from_bare({"any_of_org_roles": {"roles": roles}}, RoleGate)
        yield Requirement(role=gate)
    for item in ids.items:
        yield from _permissions(item)


def _permissions(item: str | None) -> Iterator[Requirement]:
    for context, operation in (("DATA", "VIEW"), ("DATA", "UPDATE"), ("UI", "VIEW")):
        query = permission_pb2.PermissionQuery(
            context=permission_pb2.RuleContext.Value(f"RULE_CONTEXT_{context}"),
            item=item,
        )
        requirement = Requirement()
        requirement.permission.query.CopyFrom(query)
        requirement.permission.operation = permission_pb2.Operation.Value(
            f"OPERATION_{operation}"
        )
        if operation != "VIEW":
            requirement.permission.least_level = permission_pb2.ACCESS_LEVEL_GROUP
        yield requirement
