"""What a response says, in plain values; one that is not well formed says nothing."""

import json
from collections.abc import Iterable

from sidecar.core.reasons import Reason
from sidecar.transport.envoy import external_auth_pb2 as envoy
from tests.edge.plain_messages import DECISION, HTTP, Answer

_TEXTS = {reason.text: reason.name for reason in Reason}
_CODES = {400: 7, 401: 16, 403: 7, 404: 7}
_PHRASES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
_MOST_BYTES = 16 * 1024


def hear(response: envoy.CheckResponse) -> Answer:
    """The answer of a response, which must be whole and without contradictions."""
    assert response.SerializeToString() != b""
    assert response.HasField("status")
    facts = _facts(response)
    if response.status.code == 0:
        return _hear_pass(response, facts)
    return _hear_end(response, facts)


def _hear_pass(response: envoy.CheckResponse, facts: dict[str, object]) -> Answer:
    assert response.WhichOneof("http_response") == "ok_response"
    passed = response.ok_response
    sent = _headers(passed.headers)
    removed = list(passed.headers_to_remove)
    assert len(removed) == len(set(removed))
    assert not {name.encode() for name in sent} & set(removed)
    assert all(name == name.lower() for name in removed)
    assert sent.pop(DECISION) == facts.pop("decision_id")
    told = _headers(passed.response_headers_to_add)
    return Answer(
        passes=True, sent=sent, removed=frozenset(removed), told=told, facts=facts
    )


def _hear_end(response: envoy.CheckResponse, facts: dict[str, object]) -> Answer:
    assert response.WhichOneof("http_response") == "denied_response"
    ended = response.denied_response
    status = ended.status.code
    assert status in HTTP.values()
    assert response.status.code == _CODES[status]
    told = _headers(ended.headers)
    decision = facts.pop("decision_id")
    if told["content-type"] == "text/plain":
        reason = _TEXTS[ended.body]
    else:
        problem = json.loads(ended.body)
        reason = str(problem["reason"])
        assert problem == {
            "type": "about:blank",
            "title": _PHRASES[status],
            "status": status,
            "detail": Reason[reason].text,
            "reason": reason,
            "decision_id": decision,
        }
    return Answer(passes=False, status=status, reason=reason, told=told, facts=facts)


def _headers(options: Iterable[envoy.HeaderValueOption]) -> dict[str, str]:
    found = {}
    for option in options:
        key, value = option.header.key.decode("ascii"), option.header.value
        assert key not in found
        assert key == key.lower()
        assert option.HasField("append")
        assert not option.append.value
        action = envoy.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
        assert option.append_action == action
        assert len(value) <= _MOST_BYTES
        assert not {0, 10, 13} & set(value)
        found[key] = value.decode()
    return found


def _facts(response: envoy.CheckResponse) -> dict[str, object]:
    facts: dict[str, object] = {}
    for name, value in response.dynamic_metadata.fields.items():
        kind = value.WhichOneof("kind")
        assert kind in {"string_value", "number_value"}
        facts[name] = getattr(value, kind)
    seconds = facts.pop("duration_ms")
    assert isinstance(seconds, float)
    assert seconds >= 0
    # It is the database's: the plain version of the edge has none.
    assert isinstance(facts.pop("revision", ""), str)
    return facts
