"""The program `authz-sidecar`: its commands, and how each of them ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol, runtime_checkable

import typer

from sidecar.command import checks, lookups
from sidecar.command.administration import add_administration
from sidecar.command.configuration import CheckConfig
from sidecar.command.data import Export, Import
from sidecar.command.doctor import Doctor
from sidecar.command.explain import Explain
from sidecar.command.exploring import AccessOfUser, WhoCanHold, WhoCanSee, WhoCanWrite
from sidecar.command.health import Health
from sidecar.command.options import Connection
from sidecar.command.policy import PolicyTest, ValidateRules
from sidecar.command.problems import OptionError
from sidecar.command.question import Question, put
from sidecar.command.routes import RoutesCheck, RoutesTest
from sidecar.command.running import Dev, Migrate, Serve
from sidecar.command.screen import ExitCode, Screen
from sidecar.command.watch import Watch
from sidecar.command.words import plain

_NAME = "authz-sidecar"
# What a shell reports for a program that SIGINT ended.
_INTERRUPTED = 130


@runtime_checkable
class Command(Protocol):
    """A command, with its options as fields."""

    def run(self, screen: Screen) -> ExitCode:
        """Does it and says how it ended.

        Raises:
            OptionError: it cannot be done as it was asked.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Version:
    """Says which version this is."""

    def run(self, screen: Screen) -> ExitCode:
        """Prints it."""
        try:
            screen.show(plain(f"{_NAME} {version(_NAME)}"))
        except PackageNotFoundError:
            screen.show(plain(f"{_NAME}, not installed"))
        return ExitCode.ALLOWED


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line, the process's own unless given; gives the exit code."""
    screen = Screen()
    try:
        parsed = _program()(arguments, prog_name=_NAME, standalone_mode=False)
        return _run(parsed, screen)
    except typer.TyperException as error:
        problem = error.format_message()
        # Without any arguments the help is printed, and there is nothing to add.
        if problem:
            screen.show_error(_in_our_style(problem))
        return ExitCode.UNDECIDED
    except OptionError as error:
        # A document may have several faults: each has its line.
        for problem in str(error).split("\n"):
            screen.show_error(problem)
        return ExitCode.UNDECIDED
    except (KeyboardInterrupt, typer.Abort):
        return _INTERRUPTED


def _run(parsed: object, screen: Screen) -> int:
    match parsed:
        case Connection() if isinstance(parsed, Question):
            return put(parsed, parsed, screen)
        case Command():
            return parsed.run(screen)
        case int():
            # Help was asked for and given.
            return parsed
        case _:
            return ExitCode.ALLOWED


def _program() -> typer.Typer:
    program = typer.Typer(
        help="An authorization sidecar: who may act where, see what, change what.",
        epilog="Exit codes: 0 allowed or done, 1 denied, 2 could not decide.",
        no_args_is_help=True,
    )
    program.command("serve")(Serve)
    program.command("dev")(Dev)
    program.command("migrate")(Migrate)
    program.command("import")(Import)
    program.command("export")(Export)
    program.add_typer(_policy(), name="policy")
    program.command("validate-rules")(ValidateRules)
    program.command("check-config")(CheckConfig)
    program.command("doctor")(Doctor)
    add_administration(program)
    program.add_typer(_routes(), name="routes")
    program.add_typer(_questions(), name="ask")
    program.command("explain")(Explain)
    program.add_typer(_who_can(), name="who-can")
    program.add_typer(_access_of(), name="access-of")
    program.command("watch")(Watch)
    program.command("health")(Health)
    program.command("version")(Version)
    return program


def _routes() -> typer.Typer:
    routes = typer.Typer(
        help="Looks at the routes of the edge, without a server and without Envoy.",
        no_args_is_help=True,
    )
    routes.command("check")(RoutesCheck)
    routes.command("test")(RoutesTest)
    return routes


def _policy() -> typer.Typer:
    policy = typer.Typer(
        help="Tests what a directory and its settings decide, without a server.",
        no_args_is_help=True,
    )
    policy.command("test")(PolicyTest)
    return policy


def _questions() -> typer.Typer:
    ask = typer.Typer(
        help="Asks a running server: one command for each call of its API.",
        no_args_is_help=True,
    )
    ask.command("resolve-context")(lookups.ResolveContext)
    ask.command("list-contexts")(lookups.ListContexts)
    ask.command("check-visible")(checks.CheckVisible)
    ask.command("check-writable")(checks.CheckWritable)
    ask.command("check-creatable")(checks.CheckCreatable)
    ask.command("check-role")(checks.CheckRole)
    ask.command("get-permissions")(lookups.GetPermissions)
    ask.command("authorize")(checks.Authorize)
    ask.command("get-list-filter")(lookups.GetListFilter)
    ask.command("validate-access-rules")(lookups.ValidateAccessRules)
    ask.command("watch")(Watch)
    ask.command("get-server-info")(lookups.GetServerInfo)
    return ask


def _who_can() -> typer.Typer:
    who_can = typer.Typer(
        help="Finds everybody who may, in the database; needs no server.",
        epilog="Exit codes: 0 somebody, 1 nobody, 2 a limit was reached or an error.",
        no_args_is_help=True,
    )
    who_can.command("see")(WhoCanSee)
    who_can.command("write")(WhoCanWrite)
    who_can.command("hold")(WhoCanHold)
    return who_can


def _access_of() -> typer.Typer:
    access_of = typer.Typer(
        help="Tells everything that somebody may do; needs no server.",
        epilog="Exit codes: 0 told, 1 nobody, 2 a limit was reached or an error.",
        no_args_is_help=True,
    )
    access_of.command("user")(AccessOfUser)
    return access_of


def _in_our_style(message: str) -> str:
    return f"{message[:1].lower()}{message[1:]}".rstrip(".")
