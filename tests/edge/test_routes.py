from datetime import date

import pytest

from sidecar.core.model import ResourceKind, Visibility
from sidecar.edge.compiling import RoutesError, compile_routes
from sidecar.edge.routes import Access, RuleSet

KINDS = {
    "cluster": ResourceKind(
        "cluster", Visibility.CLUSTER, carries_owner=True, carries_cluster=False
    ),
    "worker": ResourceKind(
        "worker", Visibility.CLUSTER_RESOURCE, carries_owner=False, carries_cluster=True
    ),
}


def rule_set(routes: str, rest: str = "") -> RuleSet:
    """The one rule set of some routes, one to a line."""
    text = f"rule_sets:\n  api:\n    routes:\n{_indented(routes)}\n{rest}"
    return compile_routes(text, KINDS).by_name["api"]


def problems(text: str) -> list[str]:
    """What is wrong with a file."""
    with pytest.raises(RoutesError) as caught:
        compile_routes(text, KINDS)
    return caught.value.problems


def _indented(routes: str) -> str:
    return "\n".join(f"      - {line}" for line in routes.strip().splitlines())


_CLOSEST = """
{name: fixed, path: /a/b, methods: [GET], public: true}
{name: one, path: "/a/{x}", methods: [GET, PUT], public: true}
{name: deep, path: "/a/{x}/c", methods: [GET], public: true}
{name: rest, path: "/a/{all...}", methods: [GET], public: true}
{name: root, path: /, methods: [GET], public: true}
{name: slash, path: /a/, methods: [GET], public: true}
"""


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "a/b", "fixed"),
        ("HEAD", "a/b", "fixed"),
        ("PUT", "a/b", "one"),
        ("GET", "a/z", "one"),
        ("GET", "a/b/c", "deep"),
        ("GET", "a/b/d", "rest"),
        ("GET", "a/b/c/d", "rest"),
        ("GET", "a/b/", "rest"),
        ("GET", "a/", "slash"),
        ("GET", "", "root"),
        ("POST", "a/b", None),
        ("get", "a/b", None),
        ("GET", "a", None),
        ("GET", "A/b", None),
        ("GET", "b", None),
        ("", "a/b", None),
    ],
)
def test_finds_the_closest_route(method: str, path: str, name: str | None) -> None:
    """Text is closer than a parameter, and that than a rest; case and ends count."""
    match = rule_set(_CLOSEST).table.find(method, path.split("/"))

    assert name == (None if match is None else match.route.name)


def test_gives_the_values_of_parameters() -> None:
    """Each parameter is its segment, decoded as it came."""
    table = rule_set('{path: "/{a}/x/{b}", methods: [GET], public: true}').table
    match = table.find("GET", ["1 2", "x", "ä"])

    assert match is not None
    assert {"a": "1 2", "b": "ä"} == match.parameters


def test_a_listed_parameter_has_no_other_value() -> None:
    """A value that is not listed leads to no route."""
    route = '{path: "/{a}", methods: [GET], public: true, values: {a: [x, "1"]}}'
    table = rule_set(route).table

    assert table.find("GET", ["x"]) is not None
    assert table.find("GET", ["y"]) is None


def test_reads_who_may_come_in() -> None:
    """`public`, `optional` and `require` are three ways in."""
    table = rule_set(
        "{path: /a, methods: [GET], public: true}\n"
        "{path: /b, methods: [GET], public: optional}\n"
        "{path: /c, methods: [GET], require: []}"
    ).table
    found = [table.find("GET", [each]) for each in "abc"]

    assert [Access.PUBLIC, Access.OPTIONAL, Access.AUTHENTICATED] == [
        match.route.access for match in found if match is not None
    ]


def test_reads_what_is_set_beside_the_routes() -> None:
    """Shadow, CORS, credentials and lifetimes come from the rule set."""
    rules = rule_set(
        "{path: /a, methods: [GET], public: true, stream_lifetime_seconds: 5}\n"
        "{path: /b, methods: [GET], public: true}",
        "    shadow: {until: 2026-12-31}\n    strip_credentials: true\n"
        "    stream_lifetime_seconds: 60\n"
        "    cors: {preflights: true, origins: ['https://a.example'], "
        "credentials: true}\n",
    )
    lifetimes = [rules.table.find("GET", [each]) for each in "ab"]

    assert date(2026, 12, 31) == rules.shadow_until
    assert rules.strips_credentials
    assert (True, frozenset({"https://a.example"}), True) == (
        rules.cors.preflights, rules.cors.origins, rules.cors.credentials
    )  # fmt: skip
    assert [5.0, 60.0] == [
        match.route.lifetime_seconds for match in lifetimes if match is not None
    ]


def _route(rest: str, path: str = "/a/{x}") -> str:
    return (
        "rule_sets:\n  api:\n    routes:\n"
        f'      - {{path: "{path}", methods: [GET], {rest}}}\n'
    )


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("", "", "valid dictionary"),
        ("[]", "[]", "valid dictionary"),
        ("rule_sets: {}", "{}", "at least 1"),
        ("rule_sets:\n  api: {}", "{}", "required"),
        ("rule_sets: [", "", "expected"),
        ("a: 1\na: 2", "a: 2", "`a` stands twice"),
        ("a: &x {}\nb: *x", "&x", "alias"),
        ("a: " + "[" * 40 + "]" * 40, "[", "too deep"),
        ("default: none\n" + _route("public: true"), "none\n", "no rule set `none`"),
        (_route("public: true, colour: red"), "red", "no known name"),
        (_route(""), "{path", "exactly one of `public` and `require`"),
        (_route("public: true, require: []"), "{path", "exactly one of"),
        (_route("public: false"), "false", "input should be"),
        (_route("public: true", "/a//b"), '"/a//b"', "no path"),
        (_route("public: true", "/a/{x}{y}"), '"/a/{x}', "mixes"),
        (_route("public: true, values: {y: [a]}"), "[a]", "no parameter `y`"),
        (_route("public: true, values: {x: []}"), "[]", "at least 1"),
        (_route("require: [{}]"), "{}", "exactly one of visible"),
        (_route("require: [{role: {any_of: [user]}, creatable: {kind: cluster}}]"),
         "{role", "exactly one of visible"),
        (_route("require: [{role: root}]"), "root", "valid dictionary"),
        (_route("require: [{role: {}}]"), "{}", "exactly one of platform_admin"),
        (_route("require: [{role: {platform_admin: false}}]"), "false", "True"),
        (_route("require: [{role: {any_of: []}}]"), "[]", "at least 1"),
        (_route("require: [{role: {any_of: [owner]}}]"), "owner", "'admin' or 'user'"),
        (_route("require: [{visible: {kind: cloud, id: x}}]"), "cloud", "`cloud`"),
        (_route("require: [{visible: {kind: cluster, id: '{path.y}'}}]"),
         "'{path.y}'", "no parameter `y`"),
        (_route("require: [{visible: {kind: cluster, id: 'a{path.x}'}}]"),
         "'a{path.x}'", "must be a text"),
        (_route("require: [{visible: {kind: cluster, id: '{header.x}'}}]"),
         "'{header.x}'", "must be a text"),
        (_route("require: [{visible: {kind: cluster, id: 7}}]"), "7", "string"),
        (_route("require: [{creatable: {kind: worker}}]"), "worker", "no owner"),
        (_route("require: [{permission: {context: UI, operation: read, "
                "at_least: my}}]"), "{context", "only knows `view`"),
        (_route("require: [{permission: {context: DATA, operation: read}}]"),
         "{context", "needs `at_least`"),
        (_route("require: [{permission: {context: DATA, at_least: my}}]"),
         "{context", "says nothing"),
        (_route("require: [{permission: {context: DATA, item: 'a..b'}}]"),
         "'a..b'", "no dotted item"),
        (_route("require: [{permission: {context: DATA, item: 'a.{path.y}'}}]"),
         "'a.{path.y}'", "no parameter `y`"),
        (_route("public: true").replace("[GET]", "[HEAD]"), "{path", "`HEAD` counts"),
        (_route("public: true").replace("[GET]", "[get]"), "get", "pattern"),
        (_route("public: true").replace("[GET]", "[]"), "[]", "at least 1"),
        (_route("public: true") + '      - {path: "/a/{y}", methods: [PUT, GET], '
         "public: true}", '"/a/{y}"', "`GET /a/{x}` and `GET /a/{y}`"),
        (_route("public: true") + "    shadow: {}", "{}", "required"),
        (_route("public: true") + "    cors: {origins: ['*']}", "'*'", "pattern"),
        (_route("public: true") + "    stream_lifetime_seconds: 0", "0", "greater"),
    ],
)  # fmt: skip
def test_says_what_is_wrong_with_a_file_and_where(
    text: str, at: str, words: str
) -> None:
    """Each problem has a line and a column, at which the culprit stands, and words."""
    first = problems(text)[0]
    line, column, problem = first.split(":", 2)
    culprit = [*text.splitlines(keepends=True), ""][int(line) - 1][int(column) - 1 :]

    assert culprit.startswith(at)
    assert words in problem


def test_says_everything_that_is_wrong_at_once() -> None:
    """Two bad routes are two problems."""
    text = _route("require: [{visible: {kind: cloud, id: x}}]") + (
        "      - {path: /b//, methods: [GET], public: true}\n"
    )

    assert ["4:", "5:"] == [each[:2] for each in problems(text)]
