from collections.abc import Sequence

from authz.v1 import authorization_service_pb2 as api
from authz.v1 import decision_pb2, permission_pb2
from hypothesis import given
from hypothesis import strategies as st

from sidecar.command.bare_json import from_bare
from sidecar.transport.status import RefusedError
from tests.spec.asking import CALL, servicer
from tests.spec.pools import IDS
from tests.spec.questions import called_worlds, requirements
from tests.spec.world import Row, World
from tests.spec.worlds import thorough

DECIDING = {decision_pb2.STEP_OUTCOME_ALLOWED, decision_pb2.STEP_OUTCOME_DENIED}


@given(called=called_worlds(), data=st.data())
@thorough(100)
async def test_an_explanation_ends_with_what_decided_and_changes_no_answer(
    called: tuple[World, Row], data: st.DataObject
) -> None:
    """Only the last step decides, and without any the decision is the same."""
    world, caller = called
    each = requirements(IDS[world.organization_id_type], caller)
    wanted = data.draw(st.lists(each, min_size=1, max_size=12))
    request: Row = {"caller": caller, "requirements": wanted}
    plain = from_bare(request, api.AuthorizeRequest)
    explained = from_bare({**request, "explain": True}, api.AuthorizeRequest)

    silent = await servicer(world).Authorize(plain, CALL)
    told = await servicer(world).Authorize(explained, CALL)

    _assert_explained(told.decisions)
    for decision in told.decisions:
        decision.ClearField("explanation")
    silent.decision_id = told.decision_id
    assert silent == told


@given(called=called_worlds())
@thorough(40)
async def test_permissions_are_those_of_the_roles_that_took_part(
    called: tuple[World, Row],
) -> None:
    """An explanation names a role that took part exactly if roles grant something."""
    world, caller = called
    if "api_key" in caller:
        return
    queries: list[Row] = [{"context": "DATA"}, {"context": "DATA", "item": "a.b"}]
    request: Row = {"caller": caller, "queries": queries, "explain": True}
    message = from_bare(request, api.GetPermissionsRequest)
    rules = world.document["access_rules"]

    try:
        response = await servicer(world).GetPermissions(message, CALL)
    except RefusedError:
        return

    for permissions in response.permissions:
        why = permissions.explanation
        took_part = {
            (role.role_id, role.rule_item if role.HasField("rule_item") else None)
            for role in why.roles
            if role.outcome == permission_pb2.ROLE_OUTCOME_TOOK_PART
        }
        views = [
            rule["view"]
            for rule in rules
            if rule["context"] == "DATA"
            and (rule["role_id"], rule["item"]) in took_part
        ]
        if why.basis != permission_pb2.PERMISSION_BASIS_ALL_MODE:
            assert permissions.view == any(views)


def _assert_explained(decisions: Sequence[decision_pb2.Decision]) -> None:
    for decision in decisions:
        *before, last = decision.explanation.steps
        decided = (
            decision_pb2.STEP_OUTCOME_ALLOWED
            if decision.allowed
            else decision_pb2.STEP_OUTCOME_DENIED
        )

        assert decided == last.outcome
        assert DECIDING.isdisjoint(step.outcome for step in before)
