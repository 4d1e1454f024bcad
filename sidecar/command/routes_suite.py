"""A file of tests of routes, read to checks: a request and the answer it wants."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from authz.v1 import caller_pb2

from sidecar.command.policy_callers import Caller, Callers, find_caller, read_callers
from sidecar.command.policy_suite import (
    Check,
    Suite,
    needed,
    paired,
    read_directory,
    read_now,
    read_path,
)
from sidecar.command.routes_wanted import read_route_wanted
from sidecar.tools.policy_yaml import (
    Entries,
    FileError,
    Listing,
    Node,
    entries,
    fields,
    flag,
    items,
    read_tree,
    text,
)
from sidecar.tools.routes_test import Vouched, asked_of_envoy

_FILE: Final = (
    "directory", "settings", "routes", "now", "callers", "extensions", "tests",
)  # fmt: skip
_TEST: Final = (
    "name", "caller", "callers", "requests", "wanted", "headers", "extensions",
    "only", "skip",
)  # fmt: skip
_NOBODY: Final = "nobody"


@dataclass(frozen=True, slots=True)
class RoutesSuite:
    """A file of tests; `routes` is none when the settings say which they are."""

    suite: Suite
    routes: Path | None


def read_routes_suite(source: str, folder: Path) -> RoutesSuite:
    """The checks of a file; the paths in it start at `folder`.

    Raises:
        FileError: the file is not of its form.
    """
    root = read_tree(source)
    found = fields(root, _FILE, "a test file")
    nobody = Caller(_NOBODY, caller_pb2.Caller())
    callers = {_NOBODY: nobody, **read_callers(found.get("callers"))}
    extensions = _read_pairs(found.get("extensions"), "`extensions`")
    nodes = items(needed(found, "tests", root), "`tests`")
    tests = [_Test.read(node, callers, extensions) for node in nodes]
    _refuse_twice(tests)
    chosen = [test for test in tests if test.only] or tests
    checks = tuple(check for test in chosen for check in test.checks())
    if not checks:
        raise FileError("there is nothing to check", root.place)
    suite = Suite(
        read_directory(found.get("directory"), folder),
        read_path(found.get("settings"), folder),
        read_now(found.get("now")),
        checks,
        len(tests) - len(chosen),
    )
    return RoutesSuite(suite, read_path(found.get("routes"), folder))


@dataclass(frozen=True, slots=True)
class _Test:
    name: str
    node: Node
    parts: Mapping[str, Node]
    callers: Callers
    headers: Sequence[tuple[str, str]]
    extensions: Mapping[str, str]
    only: bool
    skip: str

    @classmethod
    def read(
        cls, node: Node, callers: Callers, extensions: Mapping[str, str]
    ) -> "_Test":
        """A test; its requests are read by `checks`."""
        parts = fields(node, _TEST, "a test")
        needed(parts, "requests", node)
        own = _read_pairs(parts.get("extensions"), "`extensions`")
        return cls(
            name=text(needed(parts, "name", node), "`name`"),
            node=node,
            parts=parts,
            callers=callers,
            headers=tuple(_read_headers(parts.get("headers"))),
            extensions={**extensions, **own},
            only="only" in parts and flag(parts["only"], "`only`"),
            skip=text(parts["skip"], "`skip`") if "skip" in parts else "",
        )

    def checks(self) -> Iterator[Check]:
        """Each request, by each caller."""
        requests = self.parts["requests"]
        if isinstance(requests, Listing):
            wanted = needed(self.parts, "wanted", self.node)
            for caller, row in self._rows(wanted):
                for request, answer in paired(requests.items, row):
                    yield self._check(caller, request, answer)
            return
        self._refuse("wanted")
        table = entries(requests, "`requests`").entries
        for caller in self._named_callers():
            for request, answer in table:
                yield self._check(caller, request, answer)

    def _rows(self, wanted: Node) -> Iterator[tuple[Caller, Node]]:
        if isinstance(wanted, Entries) and not self._says_callers():
            for key, answers in wanted.entries:
                yield find_caller(self.callers, key), answers
            return
        for caller in self._named_callers():
            yield caller, wanted

    def _says_callers(self) -> bool:
        # With callers beside it, a mapping is one answer, which says more.
        return "caller" in self.parts or "callers" in self.parts

    def _named_callers(self) -> list[Caller]:
        if "callers" in self.parts:
            self._refuse("caller")
            named = items(self.parts["callers"], "`callers`")
            return [find_caller(self.callers, node) for node in named]
        return [find_caller(self.callers, needed(self.parts, "caller", self.node))]

    def _refuse(self, *names: str) -> None:
        for name in names:
            if name in self.parts:
                problem = f"`{name}` has no place here"
                raise FileError(problem, self.parts[name].place)

    def _check(self, caller: Caller, request: Node, answer: Node) -> Check:
        written = text(request, "a request")
        method, blank, target = written.partition(" ")
        if not blank or not target or target != target.strip():
            problem = f"`{written}` is no request like `GET /v2/clusters/1`"
            raise FileError(problem, request.place)
        vouched = (
            Vouched(caller.message)
            if caller.message.WhichOneof("identity") in {"user_id", "subject"}
            else None
        )
        headers = [*_caller_headers(caller.message), *self.headers]
        extensions = list(self.extensions.items())
        return Check(
            test=self.name,
            caller=caller.name,
            question=written,
            place=answer.place,
            call="Check",
            request=asked_of_envoy(method, target, headers, extensions, vouched),
            wanted=read_route_wanted(answer),
            skip=self.skip,
        )


def _caller_headers(caller: caller_pb2.Caller) -> Iterator[tuple[str, str]]:
    match caller.WhichOneof("identity"):
        case "api_key":
            yield "x-api-key", caller.api_key
        case "access_token":
            yield "authorization", f"Bearer {caller.access_token}"
        case _:
            pass
    if caller.HasField("organization_id"):
        yield "x-organization-id", caller.organization_id


def _read_pairs(node: Node | None, noun: str) -> dict[str, str]:
    if node is None:
        return {}
    return {
        text(key, "a name"): text(value, f"`{key.text}`")
        for key, value in entries(node, noun).entries
    }


def _read_headers(node: Node | None) -> Iterator[tuple[str, str]]:
    """Each header; one with a list of values arrives once for each of them."""
    if node is None:
        return
    for key, value in entries(node, "`headers`").entries:
        name = text(key, "a header")
        each = value.items if isinstance(value, Listing) else (value,)
        for one in each:
            yield name, text(one, f"`{name}`")


def _refuse_twice(tests: Sequence[_Test]) -> None:
    seen: set[str] = set()
    for test in tests:
        if test.name in seen:
            raise FileError(f"another test is called `{test.name}`", test.node.place)
        seen.add(test.name)
