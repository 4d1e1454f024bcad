"""Routes: which requirements a request must meet, found by method and path."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, unique
from functools import lru_cache
from itertools import combinations
from typing import Final, TypeAlias

from sidecar.core.gates import RoleGate
from sidecar.core.model import AccessLevel, Operation, RuleContext
from sidecar.edge.paths import split_path
from sidecar.edge.templates import (
    Overlap,
    Parameter,
    Rest,
    Segment,
    Template,
    overlap,
)
from sidecar.edge.values import Value
from sidecar.edge.verdict import Where

_MOST_REMEMBERED: Final = 4096
# In characters; what clients make up must not fill the memory.
_LONGEST_REMEMBERED: Final = 256


@dataclass(frozen=True, slots=True)
class RowMustBe:
    """The row of a kind and id must be visible, or writable."""

    kind: str
    id: Value
    writable: bool


@dataclass(frozen=True, slots=True)
class MayCreate:
    """The caller may create a row of this kind in the tenant that they write to."""

    kind: str


@dataclass(frozen=True, slots=True)
class HasRole:
    """The caller passes a role gate."""

    gate: RoleGate


@dataclass(frozen=True, slots=True)
class Permits:
    """The caller's roles reach `least` for an operation on an item."""

    context: RuleContext
    item: tuple[Value, ...] | None
    feature_instance_id: Value | None
    operation: Operation
    least: AccessLevel


Wanted: TypeAlias = RowMustBe | MayCreate | HasRole | Permits


@unique
class Access(Enum):
    """Who may come in by a route."""

    PUBLIC = "public"
    """Everyone; nobody is asked who they are."""
    OPTIONAL = "optional"
    """Everyone; who shows a credential is asked."""
    AUTHENTICATED = "authenticated"
    """Callers with a good credential who meet all requirements."""


@dataclass(frozen=True, slots=True)
class Route:
    """One path with its methods.

    `where` names it. `values` are those a parameter may have, for parameters that
    are limited.
    """

    where: Where
    methods: frozenset[str]
    template: Template
    access: Access
    wanted: tuple[Wanted, ...]
    values: Mapping[str, frozenset[str]]

    @property
    def name(self) -> str:
        """What logs and metadata call it."""
        return self.where.route

    @property
    def lifetime_seconds(self) -> float | None:
        """How long a stream may live on one check."""
        return self.where.lifetime_seconds


@dataclass(frozen=True, slots=True)
class Cors:
    """What browsers of other origins are told.

    `origins` may read denials; none of them, then denials carry no such header.
    """

    preflights: bool
    origins: frozenset[str]
    credentials: bool


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Routes, and how they are applied; `where` names it and no route."""

    where: Where
    table: "RouteTable"
    cors: Cors
    shadow_until: date | None

    @property
    def name(self) -> str:
        """What Envoy's configuration calls it."""
        return self.where.rule_set

    @property
    def strips_credentials(self) -> bool:
        """Whether credentials are taken off requests that pass."""
        return self.where.strips_credentials


@dataclass(frozen=True, slots=True)
class RuleSets:
    """All rule sets, and the one that holds where none is named."""

    by_name: Mapping[str, RuleSet]
    default: str | None

    def choose(self, name: str | None) -> RuleSet | None:
        """The rule set of a name; none when there is none."""
        wanted = self.default if name is None else name
        return None if wanted is None else self.by_name.get(wanted)


class AmbiguousRoutesError(ValueError):
    """Two routes of one method that some path fits alike."""

    def __init__(self, method: str, one: Route, other: Route) -> None:
        super().__init__(
            f"`{method} {one.template.text}` and `{method} {other.template.text}` "
            "fit the same paths, and neither is closer"
        )
        self.other = other


@dataclass(frozen=True, slots=True)
class Match:
    """A route and the values of its parameters."""

    route: Route
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Aim:
    """What a method and a path mean.

    `segments` is none when the path is not canonical, `match` when no route fits.
    """

    segments: tuple[str, ...] | None
    match: Match | None


@dataclass(slots=True)
class _Node:
    texts: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    rest: Route | None = None
    route: Route | None = None

    def add(self, segments: Sequence[Segment], route: Route) -> None:
        if not segments:
            self.route = route
            return
        first, *others = segments
        match first:
            case Rest():
                self.rest = route
            case Parameter():
                inner = self.parameter = self.parameter or _Node()
                inner.add(others, route)
            case _:
                self.texts.setdefault(first, _Node()).add(others, route)

    def find(self, segments: Sequence[str], place: int) -> Route | None:
        """The closest route; a text is closer than a parameter, that than a rest."""
        if place == len(segments):
            return self.route
        segment = segments[place]
        found: Route | None = None
        text = self.texts.get(segment)
        if text is not None:
            found = text.find(segments, place + 1)
        if found is None and self.parameter is not None and segment:
            found = self.parameter.find(segments, place + 1)
        return found or self.rest


class RouteTable:
    """Finds the one route of a request."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Raises AmbiguousRoutesError."""
        self._roots: dict[str, _Node] = {}
        by_method: dict[str, list[Route]] = {}
        all_routes = tuple(routes)
        self.size = len(all_routes)
        self._remembered = lru_cache(_MOST_REMEMBERED)(self._aim)
        for route in all_routes:
            for method in route.methods:
                by_method.setdefault(method, []).append(route)
                root = self._roots.setdefault(method, _Node())
                root.add(route.template.segments, route)
        for method, all_ in by_method.items():
            for one, other in combinations(all_, 2):
                if overlap(one.template, other.template) is Overlap.AMBIGUOUS:
                    raise AmbiguousRoutesError(method, one, other)

    def aim(self, method: str, target: bytes) -> Aim:
        """What a request aims at; `target` is path and query.

        Paths that came lately are remembered, as the same few come again and again.
        """
        path = target.partition(b"?")[0]
        if len(method) + len(path) > _LONGEST_REMEMBERED:
            return self._aim(method, path)
        return self._remembered(method, path)

    def _aim(self, method: str, path: bytes) -> Aim:
        segments = split_path(path)
        return Aim(segments, None if segments is None else self.find(method, segments))

    def find(self, method: str, segments: Sequence[str]) -> Match | None:
        """The route of a request, none when there is none. HEAD counts as GET."""
        root = self._roots.get("GET" if method == "HEAD" else method)
        route = None if root is None else root.find(segments, 0)
        if route is None:
            return None
        parameters = _parameters(route.template, segments)
        if any(parameters[name] not in known for name, known in route.values.items()):
            return None
        return Match(route, parameters)


def _parameters(template: Template, segments: Sequence[str]) -> dict[str, str]:
    return {
        wanted.name: segment
        for wanted, segment in zip(template.segments, segments, strict=False)
        if isinstance(wanted, Parameter)
    }
