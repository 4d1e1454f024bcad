"""The answers that a test of routes wants, and what Envoy is told instead."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sidecar.command.policy_answers import Answer, answer_words
from sidecar.core.reasons import Denial, Reason
from sidecar.tools.policy_yaml import (
    FileError,
    Node,
    Scalar,
    entries,
    fields,
    items,
    meant,
    text,
)
from sidecar.transport.edge_answers import SHADOW
from sidecar.transport.envoy import external_auth_pb2 as envoy
from sidecar.transport.status import TABLE

_ALLOWED, _DENIED, _SHADOWED = "allowed", "denied", "shadowed"
_PARTS: Final = ("answer", "route", "rule_set", "headers", "removed", "response")
# None is a header that is not there.
Headers = Mapping[str, str | None]


def _denial_words() -> frozenset[str]:
    denials = [
        (reason.name, status)
        for reason, statuses in TABLE.items()
        for status in statuses
        if status.denial is not None
    ]
    words = {name for name, _ in denials} | {str(status.http) for _, status in denials}
    return frozenset(words | {denial.name for denial in Denial})


_WHY: Final = _denial_words()
WORDS: Final = {_ALLOWED: frozenset[str](), _DENIED: _WHY, _SHADOWED: _WHY}
_DENIALS: Final = {
    (str(status.http), reason.name): status.denial.name
    for reason, statuses in TABLE.items()
    for status in statuses
    if status.denial is not None
}
_REASONS: Final = {reason.text: reason.name for reason in Reason}


@dataclass(frozen=True, slots=True)
class Seen:
    """What Envoy is told of a request.

    `verdict` is `allowed`, or `denied` or `shadowed` with status, denial and reason.
    `headers` are set on the request, `removed` are taken off it, and `response` goes
    to the client.
    """

    verdict: tuple[str, ...]
    route: str
    rule_set: str
    headers: Mapping[str, str]
    removed: frozenset[str]
    response: Mapping[str, str]

    @classmethod
    def of(cls, answer: envoy.CheckResponse) -> "Seen":
        """What a response says."""
        told = {
            name: value.string_value
            for name, value in answer.dynamic_metadata.fields.items()
        }
        passed, denied = answer.ok_response, answer.denied_response
        return cls(
            tuple(_verdict(answer)),
            told.get("route", ""),
            told.get("rule_set", ""),
            _pairs(passed.headers),
            frozenset(name.decode() for name in passed.headers_to_remove),
            _pairs([*passed.response_headers_to_add, *denied.headers]),
        )


@dataclass(frozen=True, slots=True)
class RouteWanted:
    """A verdict, and all else as far as it is wanted; none is not wanted."""

    words: str
    verdict: tuple[str, ...] = ()
    route: str | None = None
    rule_set: str | None = None
    headers: Headers = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    response: Headers = field(default_factory=dict)

    def holds(self, answer: Answer) -> bool:
        """Whether Envoy is told that."""
        if not isinstance(answer, envoy.CheckResponse):
            return False
        seen = Seen.of(answer)
        return (
            self.verdict[:1] in {(), seen.verdict[:1]}
            and set(self.verdict) <= set(seen.verdict)
            and self.route in {None, seen.route}
            and self.rule_set in {None, seen.rule_set}
            and self.removed <= seen.removed
            and self.headers == _found(self.headers, seen.headers)
            and self.response == _found(self.response, seen.response)
        )

    def found(self, answer: Answer) -> str:
        """The verdict and the route, and of the rest what is wanted."""
        if not isinstance(answer, envoy.CheckResponse):
            return answer_words(answer)
        seen = Seen.of(answer)
        told = [" ".join(seen.verdict)]
        told += [f"by {seen.route}"] if seen.route else []
        told += [f"of {seen.rule_set}"] if self.rule_set is not None else []
        told += list(_header_words(_found(self.headers, seen.headers)))
        told += [
            f"{name} {'' if name in seen.removed else 'not '}removed"
            for name in sorted(self.removed)
        ]
        told += list(_header_words(_found(self.response, seen.response)))
        return ", ".join(told)


def read_route_wanted(node: Node) -> RouteWanted:
    """`allowed`, `denied 404 RESOURCE_NOT_FOUND`, or a mapping that says more.

    Raises:
        FileError: it is neither.
    """
    if isinstance(node, Scalar):
        written = text(node, "a wanted answer")
        return RouteWanted(written, _read_verdict(node))
    found = fields(node, _PARTS, "a wanted answer")
    if not found:
        raise FileError("a wanted answer says nothing", node.place)
    headers = _read_headers(found.get("headers"))
    response = _read_headers(found.get("response"))
    removed = [text(each, "a header") for each in _listed(found.get("removed"))]
    verdict = _read_verdict(found["answer"]) if "answer" in found else ()
    route, rule_set = (
        text(found[name], f"`{name}`") if name in found else None
        for name in ("route", "rule_set")
    )
    words = [" ".join(verdict)] if verdict else []
    words += [f"by {route}"] if route is not None else []
    words += [f"of {rule_set}"] if rule_set is not None else []
    words += [
        *_header_words(headers),
        *(f"{name} removed" for name in sorted(removed)),
        *_header_words(response),
    ]
    return RouteWanted(
        ", ".join(words),
        verdict,
        route,
        rule_set,
        headers,
        frozenset(removed),
        response,
    )


def _read_verdict(node: Node) -> tuple[str, ...]:
    first, *more = text(node, "a wanted answer").split()
    if first not in WORDS:
        problem = f"`{first}` is no answer: write `allowed`, `denied` or `shadowed`"
        raise FileError(problem, node.place)
    for word in more:
        if word not in WORDS[first]:
            hint = meant(word, WORDS[first])
            problem = f"`{word}` is no status and no reason of `{first}`{hint}"
            raise FileError(problem, node.place)
    return first, *more


def _read_headers(node: Node | None) -> Headers:
    if node is None:
        return {}
    found: dict[str, str | None] = {}
    for key, value in entries(node, "wanted headers").entries:
        name = text(key, "a header")
        if name != name.lower():
            raise FileError(f"`{name}` must be in lower case", key.place)
        is_absent = isinstance(value, Scalar) and value.text is None
        found[name] = None if is_absent else text(value, f"`{name}`")
    return found


def _listed(node: Node | None) -> tuple[Node, ...]:
    return () if node is None else items(node, "`removed`")


def _verdict(answer: envoy.CheckResponse) -> Iterator[str]:
    if answer.status.code == 0:
        shadow = _pairs(answer.ok_response.response_headers_to_add).get(SHADOW)
        if shadow is None:
            yield _ALLOWED
            return
        _, status, reason = shadow.split(" ")
        yield _SHADOWED
    else:
        yield _DENIED
        status = str(answer.denied_response.status.code)
        reason = _reason(answer.denied_response)
    yield from (status, _DENIALS[status, reason], reason)


def _reason(denied: envoy.DeniedHttpResponse) -> str:
    # A gRPC client is told the text alone.
    if denied.body in _REASONS:
        return _REASONS[denied.body]
    return str(json.loads(denied.body)["reason"])


def _pairs(headers: Iterable[envoy.HeaderValueOption]) -> dict[str, str]:
    return {each.header.key.decode(): each.header.value.decode() for each in headers}


def _found(wanted: Headers, seen: Mapping[str, str]) -> dict[str, str | None]:
    return {name: seen.get(name) for name in wanted}


def _header_words(headers: Headers) -> Iterator[str]:
    for name, value in headers.items():
        yield f"{name}: {'(unset)' if value is None else value}"
