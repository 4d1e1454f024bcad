"""From the text of a file of routes to rule sets, or to every problem it has."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import ValidationError

from sidecar.core.gates import OrgRoleGate, PlatformAdminGate
from sidecar.core.model import (
    AccessLevel,
    Operation,
    OrgRole,
    ResourceKind,
    RuleContext,
)
from sidecar.core.rules import is_item
from sidecar.edge.document import (
    PermissionPart,
    RequirementPart,
    RolePart,
    RoutePart,
    RoutesFile,
    RowPart,
    RuleSetPart,
)
from sidecar.edge.marked import Location, Marked, MarkedError, read_marked
from sidecar.edge.routes import (
    Access,
    AmbiguousRoutesError,
    Cors,
    HasRole,
    MayCreate,
    Permits,
    Route,
    RouteTable,
    RowMustBe,
    RuleSet,
    RuleSets,
    Wanted,
)
from sidecar.edge.templates import Template, TemplateError, parse_template
from sidecar.edge.values import (
    MixedValueError,
    Namespace,
    Reference,
    Value,
    parse_item,
    parse_value,
)
from sidecar.edge.verdict import Where

_LEVELS: Final[Mapping[str | None, AccessLevel]] = {
    None: AccessLevel.NONE,
    "my": AccessLevel.MY,
    "group": AccessLevel.GROUP,
    "all": AccessLevel.ALL,
}
_ACCESS: Final[Mapping[object, Access]] = {
    None: Access.AUTHENTICATED,
    True: Access.PUBLIC,
    "optional": Access.OPTIONAL,
}


class RoutesError(Exception):
    """A file of routes that cannot hold; one problem to a line, with its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems

    def within(self, file: str) -> "RoutesError":
        """The same with the file's name before each problem."""
        return RoutesError(
            [
                f"{file}:{'' if each[0].isdigit() else ' '}{each}"
                for each in self.problems
            ]
        )


class _ProblemError(Exception):
    def __init__(self, location: Location, problem: str) -> None:
        super().__init__(problem)
        self.location = location


def compile_routes(text: str, kinds: Mapping[str, ResourceKind]) -> RuleSets:
    """The rule sets of a file; `kinds` are those that the settings declare.

    Raises:
        RoutesError: the file cannot hold.
    """
    try:
        marked = read_marked(text)
    except MarkedError as error:
        raise RoutesError([str(error)]) from error
    try:
        file = RoutesFile.model_validate(marked.value)
    except ValidationError as error:
        raise RoutesError(list(_in_words(error, marked))) from error
    compiler = _Compiler(kinds)
    found = {
        name: compiler.rule_set(name, part) for name, part in file.rule_sets.items()
    }
    if file.default is not None and file.default not in found:
        problem = f"there is no rule set `{file.default}`"
        compiler.problems.append(_ProblemError(("default",), problem))
    if compiler.problems:
        raise RoutesError(
            [
                f"{marked.place(each.location)}: {_path(each.location)}: {each}"
                for each in compiler.problems
            ]
        )
    return RuleSets(found, file.default)


@dataclass(frozen=True, slots=True)
class _Compiler:
    kinds: Mapping[str, ResourceKind]
    problems: list[_ProblemError] = field(default_factory=list)

    def rule_set(self, name: str, part: RuleSetPart) -> RuleSet:
        named = Where(name, strips_credentials=part.strip_credentials)
        where = ("rule_sets", name, "routes")
        routes: list[Route] = []
        places: dict[int, int] = {}
        for index, each in enumerate(part.routes):
            try:
                route = self._route(each, part, (*where, index), named)
            except _ProblemError as problem:
                self.problems.append(problem)
                continue
            places[id(route)] = index
            routes.append(route)
        table = RouteTable(())
        try:
            table = RouteTable(routes)
        except AmbiguousRoutesError as error:
            index = places[id(error.other)]
            self.problems.append(_ProblemError((*where, index, "path"), str(error)))
        cors = part.cors
        return RuleSet(
            named,
            table,
            Cors(cors.preflights, cors.origins, cors.credentials),
            None if part.shadow is None else part.shadow.until,
        )

    def _route(
        self, part: RoutePart, rules: RuleSetPart, where: Location, named: Where
    ) -> Route:
        try:
            template = parse_template(part.path)
        except TemplateError as error:
            raise _ProblemError((*where, "path"), str(error)) from error
        for name in part.values:
            if name not in template.parameters:
                problem = f"the path has no parameter `{name}`"
                raise _ProblemError((*where, "values", name), problem)
        wanted = tuple(
            self._wanted(each, template, (*where, "require", index))
            for index, each in enumerate(part.require or ())
        )
        lifetime = part.stream_lifetime_seconds or rules.stream_lifetime_seconds
        return Route(
            replace(named, route=part.name or part.path, lifetime_seconds=lifetime),
            part.methods,
            template,
            _ACCESS[part.public],
            wanted,
            part.values,
        )

    def _wanted(
        self, part: RequirementPart, template: Template, where: Location
    ) -> Wanted:
        if part.visible is not None:
            return self._row(part.visible, template, (*where, "visible"))
        if part.writable is not None:
            row = self._row(part.writable, template, (*where, "writable"))
            return RowMustBe(row.kind, row.id, writable=True)
        if part.creatable is not None:
            place = (*where, "creatable", "kind")
            if not self._kind(part.creatable.kind, place).carries_owner:
                problem = f"rows of kind `{part.creatable.kind}` have no owner"
                raise _ProblemError(place, problem)
            return MayCreate(part.creatable.kind)
        if part.permission is not None:
            return _permits(part.permission, template, (*where, "permission"))
        return _has_role(part.role)

    def _row(self, part: RowPart, template: Template, where: Location) -> RowMustBe:
        self._kind(part.kind, (*where, "kind"))
        return RowMustBe(
            part.kind, _value(part.id, template, (*where, "id")), writable=False
        )

    def _kind(self, name: str, where: Location) -> ResourceKind:
        kind = self.kinds.get(name)
        if kind is None:
            raise _ProblemError(where, f"kind `{name}` is not declared in the settings")
        return kind


def _has_role(part: RolePart | None) -> HasRole:
    if part is not None and part.any_of is not None:
        return HasRole(OrgRoleGate(frozenset(map(OrgRole, part.any_of))))
    return HasRole(PlatformAdminGate())


def _permits(part: PermissionPart, template: Template, where: Location) -> Permits:
    item: tuple[Value, ...] | None = None
    if part.item is not None:
        place = (*where, "item")
        try:
            item = parse_item(part.item)
        except MixedValueError as error:
            raise _ProblemError(place, str(error)) from error
        for each in item:
            _check(each, template, place)
        sample = ".".join("x" if isinstance(each, Reference) else each for each in item)
        if not is_item(sample):
            raise _ProblemError(place, f"`{part.item}` is no dotted item")
    instance: Value | None = None
    if part.feature_instance is not None:
        place = (*where, "feature_instance")
        instance = _value(part.feature_instance, template, place)
    return Permits(
        RuleContext(part.context),
        item,
        instance,
        Operation(part.operation),
        _LEVELS[part.at_least],
    )


def _value(text: str, template: Template, where: Location) -> Value:
    try:
        value = parse_value(text)
    except MixedValueError as error:
        raise _ProblemError(where, str(error)) from error
    return _check(value, template, where)


def _check(value: Value, template: Template, where: Location) -> Value:
    if not isinstance(value, Reference) or value.namespace is Namespace.EXTENSIONS:
        return value
    if value.name not in template.parameters:
        problem = f"`{template.text}` has no parameter `{value.name}`"
        raise _ProblemError(where, problem)
    return value


def _in_words(error: ValidationError, marked: Marked) -> Iterator[str]:
    for each in error.errors(include_input=False, include_url=False):
        location = each["loc"]
        message = each["msg"].removeprefix("Value error, ")
        if each["type"] == "extra_forbidden":
            message = "is no known name"
        if message.startswith("Input"):
            message = f"i{message[1:]}"
        yield f"{marked.place(location)}: {_path(location)}: {message}"


def _path(parts: Location) -> str:
    written = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts
    )
    return written.removeprefix(".") or "the file"
