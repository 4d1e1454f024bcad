"""The decision cases of `tests/cases`, read and made ready for whoever runs them."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.spec.world import Document, Kind, Row, World, parts, text

FOLDER = Path(__file__).parents[1] / "cases"
ID_COLUMNS = {"id", "lookup_id"}


@dataclass(frozen=True)
class Case:
    """One case: a question in a world, and the answer that the rules demand."""

    file: str
    sentence: str
    source: str
    world_name: str
    world: World
    stores: frozenset[str]  # where the world can be stored; empty means everywhere
    only: frozenset[str]  # where the case can run; empty means everywhere
    call: str
    request: Row
    answer: Row

    @property
    def name(self) -> str:
        """The file and the sentence."""
        return f"{self.file}: {self.sentence}"

    def runs_on(self, place: str) -> bool:
        """Whether the case can run on `core`, `reference`, `bigint` or `uuid`."""
        fits_only = not self.only or place in self.only
        fits_stores = not self.stores or place in self.stores | {"reference"}
        return fits_only and fits_stores


def load_cases() -> list[Case]:
    """Every case of every file, in the order of the files' names."""
    return [case for path in sorted(FOLDER.glob("*.yaml")) for case in _load_file(path)]


def load_kinds() -> dict[str, Kind]:
    """The kinds of resource that the cases speak of."""
    declared = _read(FOLDER / "kinds.yaml")
    return {
        name: Kind(str(kind["visibility"]), bool(kind["owner"]), bool(kind["cluster"]))
        for name, kind in declared.items()
        if isinstance(kind, dict)
    }


def load_world(name: str) -> tuple[Document, frozenset[str]]:
    """A world's document with every id as text, and the stores it is bound to."""
    content = _read(FOLDER / "worlds" / f"{name}.yaml")
    stores = _texts(content.pop("stores", []))
    document = {
        relation: [
            {column: _as_fact(column, value) for column, value in row.items()}
            for row in parts(content, relation)
        ]
        for relation in content
    }
    return document, stores


def _load_file(path: Path) -> Iterator[Case]:
    content = _read(path)
    if path.name == "kinds.yaml":
        return
    world_name = text(content, "world") or ""
    document, stores = load_world(world_name)
    world = World(
        document=document,
        kinds=load_kinds(),
        role_precedence=text(content, "role_precedence") or "union",
    )
    for case in parts(content, "cases"):
        yield Case(
            file=path.stem,
            sentence=str(case["sentence"]),
            source=str(case["source"]),
            world_name=world_name,
            world=world,
            stores=stores,
            only=_texts(case.get("only", [])),
            call=str(case["call"]),
            request=parts({"it": [case["request"]]}, "it")[0],
            answer=parts({"it": [case["answer"]]}, "it")[0],
        )


def _read(path: Path) -> Row:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise TypeError(f"`{path.name}` is not a mapping")
    return content


def _texts(values: object) -> frozenset[str]:
    return frozenset(map(str, values)) if isinstance(values, list) else frozenset()


def _as_fact(column: str, value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    is_id = column in ID_COLUMNS or column.endswith("_id")
    return str(value) if is_id and value is not None else value
