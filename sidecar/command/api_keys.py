"""The commands `api-key`: a key's text goes to stdout alone, all else to stderr."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from typing_extensions import override

from sidecar.command.deeds import notes_page, outcome_json, outcome_page
from sidecar.command.errands import (
    Administering,
    Changing,
    Looking,
    administer,
    tell,
)
from sidecar.command.screen import ExitCode, Screen
from sidecar.command.times import read_moment, read_span
from sidecar.command.words import plain

if TYPE_CHECKING:
    from sidecar.settings import Settings
    from sidecar.store.steward.turn import Errand, Look, Outcome
    from sidecar.tools.administering import NewSecret

LookupId = Annotated[
    str,
    typer.Argument(
        metavar="LOOKUP_ID", help="The key's middle part, never the whole key."
    ),
]


@dataclass(frozen=True, kw_only=True)
class CreateApiKey(Changing):
    """Makes an API key of a user and prints it, this once."""

    user: Annotated[str, typer.Option(help="The user's id or unique name.")]
    pin: Annotated[
        str | None,
        typer.Option(help="The principal that the key always acts in: id or name."),
    ] = None
    expires: Annotated[
        str | None,
        typer.Option(help="After how long, or when: 90d, 2027-01-31. Never if unset."),
    ] = None

    def run(self, screen: Screen) -> ExitCode:
        """Makes the key and prints it once it is stored."""
        from sidecar.store.steward.keys import CreateKey  # noqa: PLC0415
        from sidecar.tools.administering import new_secret  # noqa: PLC0415

        secret = new_secret(is_rehearsal=self.dry_run)
        expires = (
            None if self.expires is None else read_moment(self.expires, "--expires")
        )
        errand = CreateKey(self.user, secret.lookup_id, secret.hash, self.pin, expires)
        return _make(self, errand, secret, screen)


@dataclass(frozen=True, kw_only=True)
class RotateApiKey(Changing):
    """Replaces an API key by a new one of the same user, pin and expiry."""

    lookup_id: LookupId
    keep_for: Annotated[
        str | None,
        typer.Option(
            help="How long the old key goes on: 1h. It is revoked at once if unset."
        ),
    ] = None

    def run(self, screen: Screen) -> ExitCode:
        """Makes the new key and prints it once both are stored."""
        from sidecar.store.steward.keys import RotateKey  # noqa: PLC0415
        from sidecar.tools.administering import new_secret  # noqa: PLC0415

        secret = new_secret(is_rehearsal=self.dry_run)
        keep = None if self.keep_for is None else read_span(self.keep_for, "--keep-for")
        errand = RotateKey(self.lookup_id, secret.hash, keep)
        return _make(self, errand, secret, screen)


@dataclass(frozen=True, kw_only=True)
class RevokeApiKey(Administering):
    """Makes an API key bad, at once and for ever."""

    lookup_id: LookupId

    @override
    def errand(self, settings: "Settings") -> "Errand":
        from sidecar.store.steward.keys import RevokeKey  # noqa: PLC0415

        del settings
        return RevokeKey(self.lookup_id)


@dataclass(frozen=True, kw_only=True)
class ListApiKeys(Looking):
    """API keys with their users, pins and states; nothing secret."""

    user: Annotated[
        str | None, typer.Option(help="Of this user only: id or unique name.")
    ] = None

    @override
    def look(self) -> "Look":
        from sidecar.store.steward.keys import ListKeys  # noqa: PLC0415

        return ListKeys(self.user, self.limit)


def _make(
    command: Changing, errand: "Errand", secret: "NewSecret", screen: Screen
) -> ExitCode:
    outcome = administer(command.config, lambda _: errand, is_rehearsal=command.dry_run)
    text = _key_text(outcome, secret)
    if command.json:
        key = {} if text is None else {"key": text}
        screen.show_json({**key, **outcome_json(outcome)})
        return ExitCode.ALLOWED
    tell(screen, *outcome_page(outcome), *notes_page(outcome))
    if text is not None:
        screen.show(plain(text))
    return ExitCode.ALLOWED


def _key_text(outcome: "Outcome", secret: "NewSecret") -> str | None:
    lookup_id = outcome.deed.lookup_id
    return None if lookup_id is None else secret.key_text(lookup_id)
