from collections.abc import Mapping

import pytest
from authz.v1 import caller_pb2, decision_pb2
from authz.v1.resource_pb2 import Requirement, Resource

from sidecar.command.advice import BY_REASON, Advice, Asked, advise
from sidecar.command.bare_json import bare_names, from_bare
from sidecar.command.program import main
from sidecar.core.reasons import Reason
from tests.command.fake import FakeServer
from tests.spec.world import Row

_NUMBERS = bare_names(decision_pb2.Reason.DESCRIPTOR)
# Denials have the numbers between those of allowances and those of errors.
_DENIALS = range(20, 50)


def test_every_denial_has_advice() -> None:
    """No reason of a denial is without words, and no other reason has some."""
    denials = {each.name for each in Reason if _NUMBERS[each.name] in _DENIALS}

    assert denials == set(BY_REASON)


@pytest.mark.parametrize("reason", BY_REASON)
def test_what_the_steps_do_not_tell_gets_no_command(reason: str) -> None:
    """Without steps nothing is known, so there are words only."""
    decision = from_bare(
        {"denial": "FORBIDDEN", "reason": reason}, decision_pb2.Decision
    )
    asked = Asked(caller_pb2.Caller(user_id="1"), Requirement())

    advice = advise(decision, asked)

    assert advice is not None
    assert (True, "") == (bool(advice.text), advice.command)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("exists", "there is no such row"),
        ("writable.visible", "it must be visible first"),
        ("otherwise", "nobody owns it, and it is in no cluster"),
    ],
)
def test_a_row_that_is_not_found_is_advised_by_the_rule_that_decided(
    rule: str, text: str
) -> None:
    """A missing row, one that is to be written and hidden, one beyond any grant."""
    step = {"rule": rule, "outcome": "DENIED", "detail": "x"}
    decision = from_bare(
        {
            "denial": "NOT_FOUND",
            "reason": "RESOURCE_NOT_FOUND",
            "explanation": {"steps": [step]},
        },
        decision_pb2.Decision,
    )

    advice = advise(decision, _asked_of_row())

    assert advice is not None
    assert (True, "") == (advice.text.startswith(text), advice.command)


def test_the_tree_ends_with_what_would_change_it(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The context stands in a branch of its own, the command below the hint."""
    steps = [
        ("context.principal", "FACT", "current principal `2`: requested"),
        ("exists", "PASSED", "cluster `7` exists"),
        ("visible.granted", "PASSED", "the resource is itself a cluster, x"),
        ("otherwise", "DENIED", "no rule allows it"),
    ]
    told = [
        {"rule": rule, "outcome": outcome, "detail": detail}
        for rule, outcome, detail in steps
    ]
    denied = {"allowed": False, "denial": "NOT_FOUND", "reason": "RESOURCE_NOT_FOUND"}
    server.answers["CheckVisible"] = {
        "decisions": [{**denied, "explanation": {"steps": told}}]
    }

    main(["ask", "check-visible", "--user", "1", "--org", "2", "cluster/7"])

    tree = [
        "├── context",
        "│ └── context.principal current principal `2`: requested",
        "├── passed exists cluster `7` exists",
        "├── passed visible.granted the resource is itself a cluster, x",
        "├── => denied otherwise no rule allows it",
        "└── to change this: grant cluster 7 to principal 2",
        " └── authz-sidecar cluster grant --cluster 7 --to 2",
    ]
    lines = capsys.readouterr().out.replace("\xa0", " ").splitlines()
    shown = [" ".join(line.split()) for line in lines]
    expected = [line.strip() for line in tree]
    assert expected == shown[-len(expected) - 1 : -1]


def test_what_is_allowed_needs_no_advice() -> None:
    """There is nothing to change."""
    decision = from_bare({"allowed": True, "reason": "OWNED"}, decision_pb2.Decision)

    assert advise(decision, _asked_of_row()) is None


def test_ids_are_quoted_for_the_shell() -> None:
    """What stands in an id is never more than an argument."""
    advice = _of_grant("-5; rm -rf /", "a b")

    assert (
        "authz-sidecar cluster grant --cluster 'a b' --to='-5; rm -rf /'"
        == advice.command
    )


def test_an_id_with_ticks_gets_no_command() -> None:
    """What could be read in two ways is not read."""
    assert _of_grant("1`, `2", "7").command == ""


@pytest.mark.parametrize(
    ("scopes", "role"),
    [
        ({"a": ("NO_MATCHING_RULE", "GLOBAL")}, "a"),
        (
            {
                "a": ("TOOK_PART", "ORGANIZATION"),
                "b": ("NO_MATCHING_RULE", "GLOBAL"),
                "c": ("NO_MATCHING_RULE", "ORGANIZATION"),
            },
            "c",
        ),
        (
            {
                "a": ("TOOK_PART", "GLOBAL"),
                "b": ("NO_MATCHING_RULE", "INSTANCE"),
            },
            None,
        ),
        ({"a": ("OTHER_ORGANIZATION", "ORGANIZATION")}, None),
        ({}, None),
    ],
)
def test_a_rule_is_for_a_role_that_cannot_silence_another(
    scopes: Mapping[str, tuple[str, str]], role: str | None
) -> None:
    """It says nothing of the item yet, and is of the scope that decides."""
    roles = [
        {"role_id": each, "outcome": outcome, "scope": scope}
        for each, (outcome, scope) in scopes.items()
    ]
    advice = _of_permission({"basis": "ROLES", "roles": roles})
    expected = (
        ""
        if role is None
        else f"authz-sidecar rule set --role {role} --context DATA --item data.x "
        "--read group --update group --view"
    )

    assert expected == advice.command


def _of_grant(current: str, cluster: str) -> Advice:
    steps = [
        ("context.principal", "FACT", f"current principal `{current}`: pinned"),
        ("visible.granted", "PASSED", "the resource is itself a cluster, x"),
    ]
    explanation = [
        {"rule": rule, "outcome": outcome, "detail": detail}
        for rule, outcome, detail in steps
    ]
    decision = from_bare(
        {
            "denial": "NOT_FOUND",
            "reason": "RESOURCE_NOT_FOUND",
            "explanation": {"steps": explanation},
        },
        decision_pb2.Decision,
    )
    advice = advise(decision, _asked_of_row(cluster))
    assert advice is not None
    return advice


def _of_permission(explanation: Row) -> Advice:
    decision = from_bare(
        {
            "denial": "FORBIDDEN",
            "reason": "INSUFFICIENT_PERMISSION",
            "explanation": {"permission": explanation},
        },
        decision_pb2.Decision,
    )
    wanted: Row = {
        "query": {"context": "DATA", "item": "data.x"},
        "operation": "UPDATE",
        "least_level": "GROUP",
    }
    requirement = from_bare({"permission": wanted}, Requirement)
    advice = advise(decision, Asked(caller_pb2.Caller(user_id="1"), requirement))
    assert advice is not None
    return advice


def _asked_of_row(cluster: str = "7") -> Asked:
    row = Resource(kind="cluster", id=cluster)
    return Asked(caller_pb2.Caller(user_id="1"), Requirement(visible=row))
