"""Rows that the reference schema would refuse: each kind counted, a few named."""

# ruff: noqa: S608 - what is put into a statement are names that the catalogue gave

from typing import Final

from sidecar.store.doctor.findings import Finding, Mend, Rows
from sidecar.store.doctor.look import Look
from sidecar.store.doctor.row_check import RowCheck
from sidecar.store.doctor.row_checks import write_checks
from sidecar.store.doctor.shape import Shape
from sidecar.store.queries import Row

_EXAMPLES: Final = 5
_KINDS_AT_MOST: Final = 1_000


async def check_rows(look: Look, shape: Shape) -> list[Finding]:
    """Looks for every kind of malformed row in the relations that are complete."""
    findings: list[Finding] = []
    for check in write_checks(shape, look.patient.clusters):
        async with look.attempt(f"rows: {check.code} of {check.subject}"):
            findings += await _run(look, check)
    resources = shape.complete("resources")
    if resources is not None:
        async with look.attempt(f"the kinds of `{resources.sql}`"):
            findings += await _check_kinds(look, resources.sql)
    return findings


async def _run(look: Look, check: RowCheck) -> list[Finding]:
    (row,) = await look.fetch(
        f"with bad as materialized (\n{check.select}\n) "
        "select (select count(*) from bad)::bigint as count, "
        f"array(select key::text from bad order by key limit {_EXAMPLES}) as examples"
    )
    count = int(str(row["count"]))
    if count == 0:
        return []
    examples = row["examples"] if isinstance(row["examples"], list) else []
    return [
        Finding(
            check.code,
            check.subject,
            check.what,
            Mend(check.sql, words=check.words),
            Rows(count, tuple(map(str, examples)), f"{check.select};"),
        )
    ]


async def _check_kinds(look: Look, resources: str) -> list[Finding]:
    rows = await look.fetch(
        "select r.kind::text as kind, count(*)::bigint as count, "
        f"(array_agg(r.id::text))[1:{_EXAMPLES}] as examples from {resources} as r "
        f"where r.kind is not null group by 1 order by 1 limit {_KINDS_AT_MOST}"
    )
    stored = {str(row["kind"]): row for row in rows}
    declared = look.patient.kinds
    findings = [
        _undeclared(resources, kind, stored[kind], declared)
        for kind in stored
        if kind not in declared
    ]
    if not stored:
        # Whoever hands attributes along with each question needs no rows.
        return findings
    return findings + [
        Finding(
            "resource-kind-absent",
            kind,
            f"the settings declare kind `{kind}`, and `{resources}` has none",
            Mend(words="add it to the view, or take it from `resource_kinds`"),
        )
        for kind in sorted(declared - stored.keys())
    ]


def _undeclared(
    resources: str, kind: str, row: Row, declared: frozenset[str]
) -> Finding:
    literal = kind.replace("'", "''")
    examples = row["examples"] if isinstance(row["examples"], list) else []
    words = f"declare it in the settings: `resource_kinds`, `{kind}`"
    if kind.lower() in declared:
        words = f"let the view call it `{kind.lower()}`, as the settings do"
    return Finding(
        "resource-kind-undeclared",
        kind,
        f"`{resources}` has rows of kind `{kind}`, which the settings do not declare",
        Mend(words=words),
        Rows(
            int(str(row["count"])),
            tuple(map(str, examples)),
            f"select r.id as key from {resources} as r "
            f"where r.kind::text = '{literal}';",
        ),
    )
