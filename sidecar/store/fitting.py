"""Whether the statements fit the relations: each is run once, and finds nothing."""

import re
from dataclasses import asdict
from typing import Final

import asyncpg

from sidecar.store.catalogue import Catalogue
from sidecar.store.errors import StoreError
from sidecar.store.queries import Queryable
from sidecar.store.statements import write_statements

_PARAMETER: Final = re.compile(r"\$(\d)::\w+(\[\])?")


async def check_fit(connection: Queryable, catalogue: Catalogue) -> None:
    """Raises StoreError, naming the facts that cannot be read from the relations.

    So a view of which a column is of a type that nobody can compare is found at the
    start, not by the first question.
    """
    statements = asdict(write_statements(catalogue))
    for facts, sql in statements.items():
        if not sql:
            continue
        try:
            await connection.fetch(sql, *_nothing(sql))
        except asyncpg.PostgresError as error:
            raise StoreError(
                f"{facts.replace('_', ' ')} cannot be read from the relations of "
                f"schema `{catalogue.schema}`: {error}"
            ) from error


def _nothing(sql: str) -> list[list[str] | None]:
    # An empty array for each parameter that is one, null for each that is not.
    arrays = {int(number): bool(array) for number, array in _PARAMETER.findall(sql)}
    return [[] if arrays[number] else None for number in sorted(arrays)]
