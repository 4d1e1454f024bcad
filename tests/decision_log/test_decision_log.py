"""A decision log has what was asked and answered, and no credential."""

from typing import cast

from authz.v1 import authorization_service_pb2 as api

from sidecar.command.bare_json import from_bare, to_bare
from sidecar.transport.envoy import external_auth_pb2 as envoy
from tests.decision_log.conftest import Logged
from tests.decision_log.playing import HEADER_SECRET, KEYS, QUERY_SECRET, Played, Row
from tests.edge.hearing import hear

NAMES = [
    "v", "time", "decision_id", "source", "rpc", "outcome", "reason", "code", "caller",
    "proved", "context", "question", "answer", "revision", "seconds", "listener",
    "peer",
]  # fmt: skip


def test_each_call_has_one_record_in_its_order(logged: Logged) -> None:
    """What another process reads is one record for each call, in their order."""
    actual = [each["rpc"] for each in logged.records]

    assert [each.call for each in logged.played] == actual


def test_records_have_their_fields_in_order(logged: Logged) -> None:
    """Every record has the same fields in the same order."""
    actual = {tuple(each) for each in logged.records}

    assert {(*NAMES, "masked"), (*NAMES, "edge", "masked")} == actual


def test_api_answers_are_logged_as_they_were_given(logged: Logged) -> None:
    """Outcome, code, reason, answer, id and revision are those of the response."""
    pairs = [each for each in _pairs(logged) if each[0].call != "Check"]

    actual = [_answered(record) for _, record in pairs]

    assert [_expected(each) for each, _ in pairs] == actual


def test_all_outcomes_were_met(logged: Logged) -> None:
    """The questions were of all kinds: every call was allowed, and was denied."""
    met = {(each["rpc"], each["outcome"]) for each in logged.records}
    calls = {each.call for each in logged.played}

    actual = met & {(call, outcome) for call in calls for outcome in _DECIDED}

    assert {(call, outcome) for call in calls for outcome in _DECIDED} == actual


_DECIDED = ("allowed", "denied")


def test_questions_are_logged_as_they_were_asked(logged: Logged) -> None:
    """The question and the caller, without a credential, are those of the request."""
    for asked, record in _pairs(logged):
        if asked.call == "Check":
            continue
        whole = cast("Row", to_bare(asked.request))
        caller = cast("Row", whole.pop("caller"))
        for name in ("api_key", "access_token"):
            if name in caller:
                caller[name] = "<masked>"

        assert (whole, caller) == (record["question"], record["caller"])


def test_contexts_are_logged_as_they_were_answered(logged: Logged) -> None:
    """The context is that which the response has, where it has one."""
    answered = [
        (each.answer["context"], record["context"])
        for each, record in _pairs(logged)
        if each.call in {"ResolveContext", "Authorize"}
        and each.response is not None
        and "context" in each.answer
    ]

    assert answered
    assert [expected for expected, _ in answered] == [actual for _, actual in answered]


def test_credentials_are_logged_by_what_they_proved(logged: Logged) -> None:
    """A good credential is told by its kind, its user and the principal of its pin."""
    pinned = {"user_id": "6", "pinned_principal_id": "106"}
    found = [
        record["proved"]
        for each, record in _pairs(logged)
        if _shows(each, 4) and record["context"] is not None
    ]

    assert found
    assert [pinned] * len(found) == found


def test_no_credential_is_in_the_log(logged: Logged) -> None:
    """No key or token is in the bytes of the log, nor the secret half of either."""
    secrets = [*KEYS[:-1], *logged.credentials, QUERY_SECRET, HEADER_SECRET]
    # A token's signature has underscores of its own.
    halves = [each.rpartition("." if "." in each else "_")[2] for each in secrets]
    assert all(any(_has(each, key) for each in logged.played) for key in secrets)

    actual = [each for each in (*secrets, *halves) if each.encode() in logged.raw]

    assert [] == actual


def test_edge_is_logged_as_envoy_was_told(logged: Logged) -> None:
    """Id, rule set, route, revision, outcome and reason are those of the response."""
    pairs = [each for each in _pairs(logged) if each[0].call == "Check"]

    actual = [_judged(record) for _, record in pairs]

    assert [_heard(each) for each, _ in pairs] == actual


def test_edge_questions_can_be_asked_again(logged: Logged) -> None:
    """What the edge asked is a question that `Authorize` takes."""
    questions = [
        cast("Row", record["question"])
        for record in logged.records
        if record["source"] == "edge" and record["question"] is not None
    ]

    actual = [to_bare(from_bare(each, api.AuthorizeRequest)) for each in questions]

    assert questions
    assert [each["requirements"] for each in questions] == [
        each["requirements"] for each in actual
    ]


def _pairs(logged: Logged) -> list[tuple[Played, Row]]:
    return list(zip(logged.played, logged.records, strict=True))


def _answered(record: Row) -> Row:
    names = ("outcome", "code", "reason", "answer", "revision")
    found = {name: record[name] for name in names}
    if record["code"] == "OK" and record["rpc"] not in _NAMELESS:
        found["decision_id"] = record["decision_id"]
    return found


_NAMELESS = {"ResolveContext", "ListContexts", "GetListFilter"}


def _expected(played: Played) -> Row:
    """What the record must have, worked out from what the client saw."""
    refused = played.refused
    if refused is not None:
        outcome = "denied" if refused.reason in _DENIALS else "error"
        return {
            "outcome": outcome,
            "code": refused.code,
            "reason": refused.reason,
            "revision": None,
            "answer": [_DENIALS[refused.reason]] if outcome == "denied" else [],
        }
    answer = dict(played.answer)
    found: Row = {"code": "OK", "revision": answer.pop("revision", None)}
    if played.call not in _NAMELESS:
        found["decision_id"] = answer.pop("decision_id")
    told = _told(played.call, answer)
    denied = [each for each in told if each.get("allowed") is False]
    verdict = cast("Row", answer.get("decision", {}))
    reasons = [verdict, *denied, *told]
    return {
        **found,
        "outcome": "denied" if denied else "allowed",
        "reason": next((each["reason"] for each in reasons if "reason" in each), None),
        "answer": told,
    }


def _told(call: str, answer: Row) -> list[Row]:
    match call:
        case "GetPermissions":
            return cast("list[Row]", answer["permissions"])
        case "ResolveContext":
            return [cast("Row", answer["context"])]
        case "ListContexts":
            return cast("list[Row]", answer["contexts"])
        case "GetListFilter":
            return [answer]
        case "CheckRole":
            decisions = [cast("Row", answer["decision"])]
        case _:
            decisions = cast("list[Row]", answer["decisions"])
    return [
        {
            "allowed": each["allowed"],
            "denial": each.get("denial"),
            "reason": each["reason"],
        }
        for each in decisions
    ]


def _denial(denial: str, reason: str) -> Row:
    return {"allowed": False, "denial": denial, "reason": reason}


_DENIALS = {
    reason: _denial(denial, reason)
    for reason, denial in {
        "INVALID_CREDENTIAL": "UNAUTHENTICATED",
        "NOT_A_MEMBER": "FORBIDDEN",
        "ORGANIZATION_NOT_FOUND": "NOT_FOUND",
        "INVALID_ORGANIZATION_ID": "INVALID",
        "UNKNOWN_RESOURCE_KIND": "INVALID",
    }.items()
}


def _shows(played: Played, key: int) -> bool:
    if isinstance(played.request, envoy.CheckRequest):
        return False
    caller = cast("Row", to_bare(played.request)["caller"])
    return caller.get("api_key") == KEYS[key]


def _has(played: Played, secret: str) -> bool:
    return secret.encode() in played.request.SerializeToString()


def _judged(record: Row) -> Row:
    edge = cast("Row", record["edge"])
    return {
        **{name: record[name] for name in ("decision_id", "revision", "outcome")},
        "reason": record["reason"] if record["outcome"] == "denied" else None,
        **{name: edge[name] for name in ("rule_set", "route", "shadowed", "path")},
    }


def _heard(played: Played) -> Row:
    assert isinstance(played.response, envoy.CheckResponse)
    assert isinstance(played.request, envoy.CheckRequest)
    told = {
        name: value.string_value
        for name, value in played.response.dynamic_metadata.fields.items()
    }
    answer = hear(played.response)
    shadow = answer.told.get("x-authz-shadow")
    path = played.request.attributes.request.http.path.decode().partition("?")[0]
    return {
        "decision_id": told["decision_id"],
        "revision": told.get("revision"),
        "outcome": "allowed" if answer.passes and shadow is None else "denied",
        "reason": answer.reason or None if shadow is None else shadow.split(" ")[2],
        "rule_set": told.get("rule_set", ""),
        "route": told.get("route", ""),
        "shadowed": shadow is not None,
        "path": path,
    }
