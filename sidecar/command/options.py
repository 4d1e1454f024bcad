"""The options that commands share: each group is the base of the next.

A command is a frozen dataclass whose fields are its options, so that parsing the
command line is making a value.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from sidecar.command.bare_json import Json
from sidecar.command.problems import OptionError
from sidecar.command.syntax import read_consistency, read_subject

DEFAULT_ADDRESS = "unix:.dev/authz.sock"
_KEY_VARIABLE = "AUTHZ_API_KEY"
_CONNECTION = "Connection"
_CALLER = "Caller, exactly one of the first four"


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Where the server listens, and how long to wait for it."""

    address: Annotated[
        str,
        typer.Option(
            envvar="AUTHZ_ADDRESS",
            help="Of the server: unix:path or host:port.",
            rich_help_panel=_CONNECTION,
        ),
    ] = DEFAULT_ADDRESS
    timeout: Annotated[
        float,
        typer.Option(
            min=0.001, help="Seconds until giving up.", rich_help_panel=_CONNECTION
        ),
    ] = 5.0
    tls_ca: Annotated[
        Path | None,
        typer.Option(
            help="PEM of the authorities that vouch for the server. Turns on TLS.",
            rich_help_panel=_CONNECTION,
        ),
    ] = None
    tls_cert: Annotated[
        Path | None,
        typer.Option(
            help="PEM of the own certificate, for mTLS.", rich_help_panel=_CONNECTION
        ),
    ] = None
    tls_key: Annotated[
        Path | None,
        typer.Option(
            help="PEM of the key of the own certificate.", rich_help_panel=_CONNECTION
        ),
    ] = None
    json: Annotated[
        bool,
        typer.Option("--json", help="Print the response as one JSON document."),
    ] = False


@dataclass(frozen=True, kw_only=True)
class Asking(Connection):
    """Who asks, and how fresh the facts must be."""

    user: Annotated[
        str | None, typer.Option(help="A user's id.", rich_help_panel=_CALLER)
    ] = None
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            help=f"File with an API key, - for stdin; or set {_KEY_VARIABLE}.",
            rich_help_panel=_CALLER,
        ),
    ] = None
    access_token_file: Annotated[
        Path | None,
        typer.Option(
            help="File with an access token (a JWT), - for stdin.",
            rich_help_panel=_CALLER,
        ),
    ] = None
    subject: Annotated[
        str | None,
        typer.Option(
            help="A name in an identity provider, issuer#subject.",
            rich_help_panel=_CALLER,
        ),
    ] = None
    org: Annotated[
        str | None,
        typer.Option(
            help="The organization to act in, as sent in X-Organization-Id.",
            rich_help_panel=_CALLER,
        ),
    ] = None
    pin: Annotated[
        str | None,
        typer.Option(
            help="The principal to which the caller's API key is pinned.",
            rich_help_panel=_CALLER,
        ),
    ] = None
    consistency: Annotated[
        str | None,
        typer.Option(
            help="minimize-latency, fully-consistent or at-least:<revision>.",
        ),
    ] = None

    def asker(self) -> dict[str, Json]:
        """The fields `caller` and, when chosen, `consistency` of a request.

        Raises:
            OptionError: not exactly one identity, or a file cannot be read.
            OptionSyntaxError: an option is not of its form.
        """
        caller = self._identity()
        if self.pin is not None:
            caller["pinned_principal_id"] = self.pin
        if self.org is not None:
            caller["organization_id"] = self.org
        asker: dict[str, Json] = {"caller": caller}
        if self.consistency is not None:
            asker["consistency"] = read_consistency(self.consistency)
        return asker

    def _identity(self) -> dict[str, Json]:
        given: dict[str, Json] = {}
        if self.user is not None:
            given["user_id"] = self.user
        if self.api_key_file is not None:
            given["api_key"] = _read_secret(self.api_key_file)
        if self.access_token_file is not None:
            given["access_token"] = _read_secret(self.access_token_file)
        if self.subject is not None:
            given["subject"] = read_subject(self.subject)
        # The environment is what was not said, so an option goes before it.
        if not given and _KEY_VARIABLE in os.environ:
            given["api_key"] = os.environ[_KEY_VARIABLE]
        if len(given) != 1:
            raise OptionError(
                "who asks? give one of --user, --api-key-file, --access-token-file, "
                f"--subject, or set {_KEY_VARIABLE}"
            )
        return given


@dataclass(frozen=True, kw_only=True)
class Explaining(Asking):
    """Whether the answer is to come with the facts that decided."""

    explain: Annotated[
        bool, typer.Option("--explain", help="Say which facts decided.")
    ] = False

    def explained_asker(self) -> dict[str, Json]:
        """What `asker` gives, and `explain`."""
        return {**self.asker(), "explain": self.explain}


def read_file(path: Path) -> bytes:
    """The content of a file that an option names.

    Raises:
        OptionError: the file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise OptionError(f"cannot read `{path}`: {reason}") from error


def _read_secret(path: Path) -> str:
    raw = sys.stdin.buffer.read() if str(path) == "-" else read_file(path)
    try:
        return raw.decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise OptionError(f"`{path}` does not hold a credential") from error
