"""What can be wrong with a database: one finding, and how it is mended."""

from dataclasses import dataclass

from sidecar.store.doctor.codes import CODES, Severity

__all__ = ["Finding", "Mend", "Report", "Rows", "Severity"]


@dataclass(frozen=True, slots=True)
class Mend:
    """How something is put right.

    `sql`: statements to copy, in this order, each with its semicolon; for whoever
    owns what they name. `command`: a command line. `words`: what to do where no
    statement can be known, or what to mind.
    """

    sql: tuple[str, ...] = ()
    command: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that a finding is about: how many, a few of their ids, all by SQL."""

    count: int
    examples: tuple[str, ...]
    select: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong: a code of CODES, with what, and how it is mended.

    `subject` is what it is about: a table, a column, a role, a setting.
    """

    code: str
    subject: str
    what: str
    mend: Mend = Mend()
    rows: Rows | None = None

    @property
    def severity(self) -> Severity:
        """Whether the sidecar cannot serve, or would be wrong."""
        return CODES[self.code].severity

    @property
    def why(self) -> str:
        """What comes of it."""
        return CODES[self.code].why


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found, errors first, and what could not be looked at, with why."""

    findings: tuple[Finding, ...]
    unchecked: tuple[str, ...]

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(each.severity is Severity.ERROR for each in self.findings)

    @property
    def warnings(self) -> int:
        """How many findings are warnings."""
        return len(self.findings) - self.errors
