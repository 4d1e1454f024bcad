"""What the store needs of a connection to a database."""

from collections.abc import Sequence
from typing import Protocol


class Row(Protocol):
    """One row of an answer, by the names of its columns."""

    def __getitem__(self, name: str, /) -> object:
        """The value of a column."""
        ...


class Queryable(Protocol):
    """Runs a statement: a connection, or one lent by a pool."""

    async def fetch(self, query: str, *args: object) -> Sequence[Row]:
        """The rows of the answer."""
        ...


def quoted(name: str) -> str:
    """An identifier as SQL writes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'
