"""What the commands of administration share: their options, and how they end."""

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.text import Text

from sidecar.command.deeds import (
    listing_json,
    listing_page,
    notes_page,
    outcome_json,
    outcome_page,
)
from sidecar.command.problems import OptionError
from sidecar.command.running import Configured
from sidecar.command.screen import ExitCode, Screen
from sidecar.command.words import plain

if TYPE_CHECKING:
    # What needs the driver is imported when a command runs, see `running`.
    from collections.abc import Callable, Coroutine

    from sidecar.settings import Settings
    from sidecar.store.steward.turn import Errand, Look, Outcome

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Changing(Configured):
    """Options of whatever changes rows."""

    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Do it, say what would change, give it up."),
    ] = False
    json: Annotated[
        bool, typer.Option("--json", help="Print the result as one JSON document.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class Administering(Changing, ABC):
    """A change of the directory, in one transaction."""

    @abstractmethod
    def errand(self, settings: "Settings") -> "Errand":
        """What is to be done; raises OptionError when the options do not say it."""

    def run(self, screen: Screen) -> ExitCode:
        """Does it and says what changed."""
        outcome = administer(self.config, self.errand, is_rehearsal=self.dry_run)
        if self.json:
            screen.show_json(outcome_json(outcome))
        else:
            screen.show(*outcome_page(outcome))
            tell(screen, *notes_page(outcome))
        return ExitCode.ALLOWED


@dataclass(frozen=True, kw_only=True)
class Looking(Configured, ABC):
    """Rows of the directory."""

    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 1000
    json: Annotated[
        bool, typer.Option("--json", help="Print the rows as one JSON document.")
    ] = False

    @abstractmethod
    def look(self) -> "Look":
        """What is wanted; raises OptionError when the options do not say it."""

    def run(self, screen: Screen) -> ExitCode:
        """Reads the rows and prints them."""
        from sidecar.tools import administering  # noqa: PLC0415  see above

        wanted = self.look()
        found = _done(self.config, lambda each: administering.look(each, wanted))
        if self.json:
            screen.show_json(listing_json(found))
        else:
            screen.show(*listing_page(found))
            if found.is_cut:
                tell(screen, plain(f"note: more than {self.limit} rows; see --limit"))
        return ExitCode.ALLOWED


def administer(
    config: Path | None,
    errand: "Callable[[Settings], Errand]",
    *,
    is_rehearsal: bool,
) -> "Outcome":
    """Carries out what `errand` makes of the settings.

    Raises:
        OptionError: what an operator can correct.
    """
    from sidecar.tools import administering  # noqa: PLC0415  see above

    return _done(
        config,
        lambda settings: administering.administer(
            settings, errand(settings), is_rehearsal=is_rehearsal
        ),
    )


def tell(screen: Screen, *lines: Text) -> None:
    """Prints what a person should know beside the answer."""
    for line in lines:
        screen.err.print(line, soft_wrap=True)


def _done(
    config: Path | None, work: "Callable[[Settings], Coroutine[None, None, T]]"
) -> T:
    from sidecar.settings import SettingsError, load  # noqa: PLC0415  see above
    from sidecar.store.errors import StoreError  # noqa: PLC0415  see above

    try:
        return asyncio.run(work(load(config)))
    except (SettingsError, StoreError) as error:
        raise OptionError(str(error)) from error
