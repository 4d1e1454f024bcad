"""YAML read safely, with less guessing, and where in it everything stands."""

import re
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

import yaml
from typing_extensions import override
from yaml.error import Mark

from sidecar.store.document_faults import DocumentError, Fault, Place, Steps

# A document is three deep. The C library would follow deeper ones off its stack, so
# it only parses, and nodes are made here.
_DEEPEST: Final = 50
# From the document to a value: relation, row, column.
_LOOKED_AT: Final = 3

_BOOL: Final = "tag:yaml.org,2002:bool"
_INT: Final = "tag:yaml.org,2002:int"
_TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"
_NULL: Final = "tag:yaml.org,2002:null"

if TYPE_CHECKING:
    _SafeLoader = yaml.SafeLoader
else:
    # Of the C library where the package has it: a tenth of the time.
    _SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str) -> object:
    """The mappings, lists and scalars of a YAML document.

    Raises:
        DocumentError: A name stands twice in one mapping.
        yaml.YAMLError: It is no YAML.
        ValueError: It holds a scalar that no value can hold.
    """
    loader = _Loader(text)
    try:
        return loader.construct_document(_compose(loader))
    finally:
        with suppress(AttributeError):
            loader.dispose()


def yaml_places(text: str) -> Iterator[tuple[Steps, bool, Place]]:
    """Where each relation, row and column of a readable document stands.

    Gives steps, whether it is the name or the value, and the place.
    """
    return _walk(_compose(_Loader(text)), ())


def _walk(node: yaml.Node, steps: Steps) -> Iterator[tuple[Steps, bool, Place]]:
    yield steps, False, _place(node)
    if len(steps) == _LOOKED_AT:
        return
    if isinstance(node, yaml.SequenceNode):
        for index, each in enumerate(node.value):
            yield from _walk(each, (*steps, index))
    elif isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            inner = (*steps, str(name.value))
            yield inner, True, _place(name)
            yield from _walk(value, inner)


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)


def _compose(loader: "_Loader") -> yaml.Node:
    """The node of the one document that there is; null when there is none."""
    composer = _Composer(loader.resolve)
    next_event: Callable[[], yaml.Event] = loader.get_event
    while not isinstance(event := next_event(), yaml.StreamEndEvent):
        composer.take(event)
    return composer.root or yaml.ScalarNode(_NULL, "", *_marks(event))


class _Composer:
    """Makes nodes of events, without a call for each level."""

    def __init__(
        self, resolve: Callable[[type[yaml.Node], str | None, object], str]
    ) -> None:
        self._resolve = resolve
        self._open: list[tuple[yaml.CollectionNode, list[yaml.Node]]] = []
        self._anchors: dict[str, yaml.Node] = {}
        self.root: yaml.Node | None = None

    def take(self, event: yaml.Event) -> None:
        """Takes the next event."""
        match event:
            case yaml.ScalarEvent():
                tag = self._tag(event, yaml.ScalarNode, event.value)
                self._add(yaml.ScalarNode(tag, event.value, *_marks(event)), event)
            case yaml.SequenceStartEvent():
                self._enter(yaml.SequenceNode, event)
            case yaml.MappingStartEvent():
                self._enter(yaml.MappingNode, event)
            case yaml.CollectionEndEvent():
                self._leave()
            case yaml.AliasEvent():
                if event.anchor not in self._anchors:
                    raise _error(event, f"there is no anchor `{event.anchor}`")
                self._put(self._anchors[event.anchor], event)
            case _:
                pass

    def _tag(
        self,
        event: yaml.ScalarEvent | yaml.CollectionStartEvent,
        kind: type[yaml.Node],
        value: str | None,
    ) -> str:
        if event.tag is not None and event.tag != "!":
            return str(event.tag)
        return self._resolve(kind, value, event.implicit)

    def _enter(
        self,
        kind: type[yaml.SequenceNode | yaml.MappingNode],
        event: yaml.CollectionStartEvent,
    ) -> None:
        node = kind(self._tag(event, kind, None), [], *_marks(event))
        self._add(node, event)
        self._open.append((node, []))
        if len(self._open) > _DEEPEST:
            raise _error(event, "nested too deeply")

    def _leave(self) -> None:
        node, parts = self._open.pop()
        if isinstance(node, yaml.MappingNode):
            node.value = list(zip(parts[::2], parts[1::2], strict=True))
        else:
            node.value = parts

    def _add(self, node: yaml.Node, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        self._put(node, event)

    def _put(self, node: yaml.Node, event: yaml.NodeEvent) -> None:
        if self._open:
            self._open[-1][1].append(node)
        elif self.root is None:
            self.root = node
        else:
            raise _error(event, "a second document")


def _marks(event: yaml.Event) -> tuple[Mark, Mark]:
    # Those of the C library have the same lines and columns.
    return cast("Mark", event.start_mark), cast("Mark", event.end_mark)


def _error(event: yaml.Event, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=_marks(event)[0])


class _Loader(_SafeLoader):
    """Safe YAML that guesses less: `0020`, `1_000` and `no` are the text they are.

    A name that stands twice in a mapping is refused, not overwritten. A day that does
    not exist stays text.
    """

    @override
    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,
    ) -> dict[Hashable, object]:
        seen: set[str] = set()
        for name, _ in node.value:
            if not isinstance(name, yaml.ScalarNode):
                continue
            if name.value in seen:
                reason = f"`{name.value}` stands twice in one mapping"
                raise DocumentError(Fault("", reason, _place(name)))
            seen.add(name.value)
        return super().construct_mapping(node, deep)

    def construct_time(self, node: yaml.ScalarNode) -> object:
        """A time as YAML has it, or what is none as the text that it is."""
        try:
            return self.construct_yaml_timestamp(node)
        except (ValueError, OverflowError):
            return self.construct_scalar(node)


_Loader.add_constructor(_TIMESTAMP, _Loader.construct_time)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if tag not in {_BOOL, _INT}]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile(r"^(true|false)$"), list("tf"))
_Loader.add_implicit_resolver(
    _INT,
    re.compile(r"^(0|-?[1-9][0-9]*)$"),
    list("-0123456789"),
)
