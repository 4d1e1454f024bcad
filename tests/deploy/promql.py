"""What a PromQL expression names, by a real parser of the language."""

from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser
from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Expr,
    MatchOp,
    MatrixSelector,
    VectorSelector,
)


@dataclass(frozen=True)
class Selected:
    """A metric that an expression selects; `wanted` are labels with their values."""

    metric: str
    wanted: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Named:
    """All that an expression names; `labels` are those it groups and joins by."""

    selected: tuple[Selected, ...]
    labels: frozenset[str]


def names(expression: str) -> Named:
    """What it names; raises ValueError for what is no PromQL."""
    nodes: list[Expr] = []
    promql_parser.walk(promql_parser.parse(expression), nodes.append)
    return Named(
        tuple(each for node in nodes for each in _selected(node)),
        frozenset(label for node in nodes for label in _labels(node)),
    )


def _selected(node: Expr) -> Iterator[Selected]:
    if isinstance(node, MatrixSelector):
        node = node.vector_selector
    if not isinstance(node, VectorSelector):
        return
    wanted = [
        (matcher.name, value)
        for matcher in node.matchers.matchers
        for value in _alternatives(matcher.op, matcher.value)
    ]
    yield Selected(node.name or "", frozenset(wanted))


def _alternatives(operator: MatchOp, value: str) -> list[str]:
    # These cannot be hashed.
    is_pattern = operator in (MatchOp.Re, MatchOp.NotRe)
    return value.split("|") if is_pattern else [value]


def _labels(node: Expr) -> Iterator[str]:
    if isinstance(node, AggregateExpr) and node.modifier is not None:
        yield from node.modifier.labels
    if isinstance(node, BinaryExpr) and node.modifier is not None:
        if node.modifier.matching is not None:
            yield from node.modifier.matching.labels
        yield from node.modifier.group_labels or ()
