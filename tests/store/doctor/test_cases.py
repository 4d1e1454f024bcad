import pytest

from sidecar.store.doctor.codes import CODES
from sidecar.store.doctor.findings import Finding, Report
from tests.store.doctor.cases import Case, read_cases
from tests.store.doctor.clinic import Bed, Clinic

CASES = read_cases()

# What has no case: it needs another server, clock or network, and has tests elsewhere.
ELSEWHERE = {
    "server-too-old",
    "encoding-not-utf8",
    "url-is-standby",
    "url-pooled",
    "clock-skewed",
    "feed-unreachable",
    "feed-is-standby",
    "feed-elsewhere",
    "feed-pooled",
    "feed-perhaps-pooled",
    "notification-lost",
}


def filled(text: str, bed: Bed) -> str:
    """A text of a case with the names of the database and the role that serves."""
    return text.replace("{role}", bed.role).replace("{database}", bed.role)


def found(report: Report, code: str, subject: str) -> list[Finding]:
    """The findings of a code about a subject."""
    return [
        each for each in report.findings if (each.code, each.subject) == (code, subject)
    ]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_is_found_and_mended(clinic: Clinic, case: Case) -> None:
    """A broken database has the finding, and not once what it prints was done."""
    async with clinic.bed(case.schema) as bed:
        await bed.run(*(filled(each, bed) for each in case.breaks))

        before = await bed.examine()

        subject = filled(case.subject, bed)
        assert found(before, case.code, subject)
        assert {case.code, *case.also} >= {each.code for each in before.findings}
        for finding in found(before, case.code, subject):
            if finding.rows is not None:
                assert finding.rows.count == len(
                    await bed.owner.fetch(finding.rows.select)
                )
            assert case.mend or finding.mend.sql or finding.mend.command
            if not case.mend:
                await bed.mend(finding)
        await bed.run(*(filled(each, bed) for each in case.mend))

        after = await bed.examine()

        assert [] == found(after, case.code, subject)
        assert {*case.also} >= {each.code for each in after.findings}
        assert () == after.unchecked


def test_every_code_has_a_case() -> None:
    """No finding is without a database that shows it, here or elsewhere."""
    assert set(CODES) - ELSEWHERE == {case.code for case in CASES}
