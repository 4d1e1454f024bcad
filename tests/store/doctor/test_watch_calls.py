import asyncpg
import pytest

from tests.store.doctor.clinic import Clinic

WATCHED = """
select t.tgrelid::regclass::text as table, encode(t.tgargs, 'escape') as arguments
from pg_trigger as t
where t.tgfoid = 'authz.notify_change'::regproc and t.tgtype & 4 > 0
"""

Told = dict[tuple[str, str], list[list[str]]]


async def told(connection: asyncpg.Connection) -> Told:
    """The keys that each row would tell when it changes, by table and group."""
    found: Told = {}
    for row in await connection.fetch(WATCHED):
        _, group, _, *keys = str(row["arguments"]).split("\\000")[:-1]
        listed = ", ".join(f"({key})::text" for key in keys)
        rows = await connection.fetch(
            f"select array_remove(array[{listed}], null) as keys"  # noqa: S608
            f" from {row['table']}"
        )
        found[row["table"], group] = sorted(sorted(each["keys"]) for each in rows)
    return found


@pytest.mark.parametrize("schema", ["reference", "gpustack_like", "camel_case"])
async def test_printed_calls_tell_the_same_keys(clinic: Clinic, schema: str) -> None:
    """Where all triggers are gone, the printed calls bring back ones that tell as much.

    Keys are compared as each row of the world gives them, not as they are written.
    """
    async with clinic.bed(schema) as bed:
        before = await told(bed.owner)
        for table in {table for table, _ in before}:
            await bed.run(f"call authz.unwatch('{table}')")

        findings = (await bed.examine()).findings
        for finding in findings:
            await bed.mend(finding)

        assert {"triggers-missing"} == {each.code for each in findings}
        assert before == await told(bed.owner)
        assert () == (await bed.examine()).findings
