"""Where a relation's columns come from, as the database's own planner tells it.

The plan of reading a relation names, for each table behind it, the expressions over
that table that give the relation's columns. So no view is parsed here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sidecar.store.doctor.look import Look, PlanNode
from sidecar.store.doctor.names import columns_in, without_alias
from sidecar.store.queries import quoted

# What a plan node says of conditions on rows.
_CONDITIONS: Final = (
    "Filter",
    "Index Cond",
    "Recheck Cond",
    "Hash Cond",
    "Merge Cond",
    "Join Filter",
    "One-Time Filter",
    "Cache Key",
    "TID Cond",
)
_LISTS: Final = ("Sort Key", "Group Key", "Presorted Key")
# These hand on what is below them as it is.
_THROUGH: Final = frozenset({"Append", "Merge Append", "Gather", "Gather Merge"})


@dataclass(frozen=True, slots=True)
class Source:
    """A table that gives rows of a relation, all by itself.

    `table` is schema and name; `expressions` has, for each column of the relation,
    what gives it over the columns of the table.
    """

    table: tuple[str, str]
    expressions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sources:
    """What is behind a relation.

    `used`: of each table, the columns that the relation's rows depend on.
    """

    alone: tuple[Source, ...]
    used: Mapping[tuple[str, str], frozenset[str]]


async def read_sources(look: Look, relation: str, columns: Sequence[str]) -> Sources:
    """Where these columns of a relation, named as in SQL, come from.

    Raises what the driver raises when the relation cannot be read.
    """
    chosen = ", ".join(f"r.{quoted(column)}" for column in columns)
    # Beside a second thing, even one without rows of its own, names come in full.
    root = await look.explain(
        f"select {chosen} from {relation} as r, (select) as one",  # noqa: S608 - names
        without_scans=False,
    )
    tables = {
        str(node["Alias"]): (str(node["Schema"]), str(node["Relation Name"]))
        for node in walk(root)
        if "Relation Name" in node
    }
    alone = tuple(
        Source(table, dict(zip(columns, expressions, strict=True)))
        for ending in _endings(root)
        if (table := tables.get(str(ending.get("Alias")))) is not None
        and len(expressions := _outputs(ending)) == len(columns)
    )
    return Sources(alone, _used(root, tables))


def walk(node: PlanNode) -> Iterator[PlanNode]:
    """A plan's nodes, from the root."""
    yield node
    for child in children(node):
        yield from walk(child)


def children(node: PlanNode) -> list[PlanNode]:
    """The nodes right below a plan's node."""
    plans = node.get("Plans")
    return plans if isinstance(plans, list) else []


def _endings(node: PlanNode) -> Iterator[PlanNode]:
    # The nodes whose outputs are rows of the relation, below all that unites rows.
    if node["Node Type"] in _THROUGH:
        for child in children(node):
            yield from _endings(child)
    elif node["Node Type"] == "Subquery Scan" and "Relation Name" not in node:
        yield from (each for child in children(node) for each in _endings(child))
    else:
        yield node


def _outputs(node: PlanNode) -> list[str]:
    alias, outputs = str(node["Alias"]), node.get("Output")
    texts = outputs if isinstance(outputs, list) else []
    return [_bare(without_alias(str(each), alias)) for each in texts]


def _bare(text: str) -> str:
    # The planner puts whole expressions into brackets.
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0 and position < len(text) - 1:
            return text
    return text[1:-1]


def _used(
    root: PlanNode, tables: Mapping[str, tuple[str, str]]
) -> dict[tuple[str, str], frozenset[str]]:
    aliases = {alias: alias for alias in tables}
    found: dict[tuple[str, str], set[str]] = {table: set() for table in tables.values()}
    for text in _texts(root):
        for alias, column in columns_in(text, aliases):
            found[tables[alias]].add(column)
    return {table: frozenset(names) for table, names in found.items()}


def _texts(root: PlanNode) -> Iterator[str]:
    for ending in _endings(root):
        yield from _strings(ending.get("Output"))
    for node in walk(root):
        for name in _CONDITIONS:
            yield from _strings(node.get(name))
        for name in _LISTS:
            yield from _strings(node.get(name))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, list):
        yield from map(str, value)
    elif value is not None:
        yield str(value)
