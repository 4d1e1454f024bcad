"""Random tables of routes: which are refused, and which route a path finds."""

from itertools import product

from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.edge.compiling import RoutesError, compile_routes
from sidecar.edge.routes import RouteTable
from tests.edge.plain_routes import closeness, find_route, fits
from tests.spec.world import Row

_PIECES = st.sampled_from(["a", "b", "{x}", "{y}"])
_ENDS = st.sampled_from(["", "", "/", "/{rest...}"])
_PATHS = st.tuples(st.lists(_PIECES, min_size=1, max_size=3, unique=True), _ENDS).map(
    lambda parts: "/" + "/".join(parts[0]) + parts[1]
)
_TABLES = st.lists(_PATHS, min_size=1, max_size=5)
# `c` is in no template. The last segment of a path may be empty.
_REQUESTS = [
    [*before, last]
    for length in range(4)
    for before in product("abc", repeat=length)
    for last in ["a", "b", "c", ""]
]


def _rules(paths: list[str]) -> Row:
    routes = [
        {"name": f"r{number}", "path": path, "methods": ["GET"], "public": True}
        for number, path in enumerate(paths)
    ]
    return {"routes": routes}


def _table(paths: list[str]) -> RouteTable | None:
    lines = "".join(
        f'      - {{name: r{number}, path: "{path}", methods: [GET], public: true}}\n'
        for number, path in enumerate(paths)
    )
    try:
        text = f"rule_sets:\n  api:\n    routes:\n{lines}"
        return compile_routes(text, {}).by_name["api"].table
    except RoutesError:
        return None


def _is_closer(one: str, other: str) -> bool:
    """Whether one template is as close in every place, and closer in some."""
    mine, theirs = closeness(one), closeness(other)
    pairs = list(zip(mine, theirs, strict=False))
    return all(first <= second for first, second in pairs) and mine != theirs


def _are_ambiguous(one: str, other: str) -> bool:
    meet = any(fits(one, each) and fits(other, each) for each in _REQUESTS)
    return meet and not _is_closer(one, other) and not _is_closer(other, one)


@example(["/{x}/", "/a/{y}"])
@example(["/{x}/b", "/a/{rest...}"])
@given(_TABLES)
def test_ambiguous_tables_are_refused_and_no_others(paths: list[str]) -> None:
    """Two routes with a path in common are refused unless one is closer everywhere."""
    pairs = [
        (one, other) for place, one in enumerate(paths) for other in paths[place + 1 :]
    ]

    assert (_table(paths) is None) is any(_are_ambiguous(*pair) for pair in pairs)


@given(_TABLES)
def test_the_closest_route_is_found(paths: list[str]) -> None:
    """In a table that is taken, each path finds what trying every route finds."""
    table = _table(paths)
    if table is None:
        return
    for segments in _REQUESTS:
        found = table.find("GET", segments)
        wanted = find_route(_rules(paths), "GET", segments)

        assert (None if wanted is None else wanted["name"]) == (
            None if found is None else found.route.name
        )
