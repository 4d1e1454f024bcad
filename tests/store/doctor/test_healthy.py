import pytest

from sidecar.store.doctor.findings import Report
from tests.store.doctor.clinic import SCHEMAS, Clinic


@pytest.mark.parametrize("schema", SCHEMAS)
async def test_nothing_is_found_where_all_is_well(clinic: Clinic, schema: str) -> None:
    """A healthy database of each schema has no finding, and all of it is looked at."""
    async with clinic.bed(schema) as bed:
        assert Report((), ()) == await bed.examine()
