"""The whole examination of one database, from the server to the rows."""

from collections.abc import Iterable
from typing import Final

from sidecar.ports import Clock
from sidecar.store.doctor.behind import read_behind
from sidecar.store.doctor.codes import CODES, Severity
from sidecar.store.doctor.findings import Finding, Report
from sidecar.store.doctor.hearing import check_hearing
from sidecar.store.doctor.indexes import check_indexes
from sidecar.store.doctor.look import Look, Patient, looking
from sidecar.store.doctor.rights import check_rights
from sidecar.store.doctor.rows import check_rows
from sidecar.store.doctor.schema import check_schema
from sidecar.store.doctor.server import check_server
from sidecar.store.doctor.shape import check_shape, read_shape
from sidecar.store.doctor.watches import check_watches

_ORDER: Final = {code: number for number, code in enumerate(CODES)}


async def examine(patient: Patient, clock: Clock) -> Report:
    """Looks at everything, and writes nothing but one notification.

    Raises StoreError when the database cannot be looked at.
    """
    async with looking(patient) as look:
        findings = await _check(look, clock)
    findings += await check_hearing(patient)
    return Report(tuple(_sorted(findings)), tuple(look.unchecked))


async def _check(look: Look, clock: Clock) -> list[Finding]:
    findings: list[Finding] = []
    async with look.attempt("the server"):
        findings += await check_server(look, clock)
    shape = await read_shape(look)
    behind = await read_behind(look, list(shape.relations))
    async with look.attempt("the schema"):
        findings += await check_schema(look, shape)
    if not await look.value("select to_regnamespace($1) is not null", "authz"):
        return findings
    async with look.attempt("the relations"):
        findings += await check_shape(look, shape)
    async with look.attempt("the rights"):
        findings += await check_rights(look, shape, behind)
    async with look.attempt("the triggers"):
        findings += await check_watches(look, shape, behind)
    async with look.attempt("the indexes"):
        findings += await check_indexes(look, shape, behind)
    return [*findings, *await check_rows(look, shape)]


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    # In each severity in the order in which they are best mended.
    return sorted(
        findings,
        key=lambda each: (each.severity is Severity.WARNING, _ORDER[each.code]),
    )
