"""Whether a file of routes holds, by the server's own code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidecar import wiring
from sidecar.edge.compiling import RoutesError, compile_routes
from sidecar.settings import load


@dataclass(frozen=True, slots=True)
class CheckedRoutes:
    """How many routes each rule set has, or what is wrong: `<line>:<column>: ...`."""

    rule_sets: Mapping[str, int]
    problems: Sequence[str] = ()


def check_routes(text: str, config: Path | None) -> CheckedRoutes:
    """Compiles a file as the start of a server does.

    Raises:
        SettingsError: the settings, which declare the kinds, cannot be read.
    """
    kinds = wiring.policy_of(load(config)).kinds
    try:
        compiled = compile_routes(text, kinds)
    except RoutesError as error:
        return CheckedRoutes({}, error.problems)
    return CheckedRoutes(
        {name: rules.table.size for name, rules in compiled.by_name.items()}
    )
