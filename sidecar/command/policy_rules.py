"""Access rules of a file, validated: the page and the document that say so."""

from pathlib import Path

from rich.text import Text

from sidecar.command.bare_json import Json
from sidecar.command.policy_files import read_text
from sidecar.command.problems import OptionError
from sidecar.command.screen import ExitCode, Screen
from sidecar.command.words import plain
from sidecar.tools.policy_rules import RuleProblem, Validated, validate_rules
from sidecar.tools.policy_yaml import FileError


def validate(path: Path, screen: Screen, *, is_json: bool) -> ExitCode:
    """Prints what is wrong with the rules of a file; denied when something is.

    Raises:
        OptionError: the file cannot be read, or holds no rules.
    """
    try:
        found = validate_rules(read_text(path))
    except FileError as error:
        raise OptionError(f"{path}:{error}") from error
    if is_json:
        screen.show_json(_as_json(path, found))
    else:
        screen.show(*(_line(path, each) for each in found.problems), _counts(found))
    return ExitCode.DENIED if found.problems else ExitCode.ALLOWED


def _as_json(path: Path, found: Validated) -> dict[str, Json]:
    return {
        "file": str(path),
        "rules": found.rules,
        "problems": [
            {
                "line": each.place.line,
                "column": each.place.column,
                "rule": each.rule,
                "field": each.field,
                "reason": each.reason,
                "message": each.message,
            }
            for each in found.problems
        ],
    }


def _line(path: Path, problem: RuleProblem) -> Text:
    place = f"{path}:{problem.place.line}:{problem.place.column}"
    line = plain(f"{place}: ", "bold")
    line.append_text(Text(problem.reason, "red"))
    words = f" rule `{problem.rule}`, {problem.field}: {problem.message}"
    return line.append_text(plain(words))


def _counts(found: Validated) -> Text:
    if not found.problems:
        return plain(f"all of {found.rules} rules are valid", "green")
    invalid = len({each.rule for each in found.problems})
    return plain(f"{invalid} of {found.rules} rules are invalid", "red")
