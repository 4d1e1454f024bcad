"""One kind of malformed row, as a statement that names such rows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RowCheck:
    """One kind of malformed row of one relation.

    `select` gives the column `key`, which names the row. `sql` mends all of them,
    where there is one way to.
    """

    code: str
    subject: str
    what: str
    select: str
    words: str = ""
    sql: tuple[str, ...] = ()
