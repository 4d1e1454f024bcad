"""The stream of changes, a line for each message."""

import json
from dataclasses import dataclass
from typing import Annotated

import typer
from authz.v1 import authorization_service_pb2 as pb

from sidecar.command.bare_json import to_bare
from sidecar.command.client import Client, open_channel
from sidecar.command.failures import CallFailedError
from sidecar.command.options import Connection
from sidecar.command.problems import OptionError
from sidecar.command.question import report
from sidecar.command.screen import ExitCode, Screen
from sidecar.command.words import plain


@dataclass(frozen=True, kw_only=True)
class Watch(Connection):
    """Which facts change, from now on? Ends when interrupted."""

    after: Annotated[
        str | None, typer.Option(help="The revision after which changes are wanted.")
    ] = None
    json: Annotated[
        bool, typer.Option("--json", help="Print each message as a JSON document.")
    ] = False
    # A stream has no bound in time.
    timeout: Annotated[float, typer.Option(hidden=True)] = 5.0

    def run(self, screen: Screen) -> ExitCode:
        """Prints what happens until it is interrupted or the stream ends."""
        request = pb.WatchRequest(after_revision=self.after)
        try:
            with open_channel(self) as channel:
                client = Client(channel, self.timeout)
                for event in client.follow("Watch", request, pb.WatchResponse):
                    screen.show(plain(self._line(event)))
        except OptionError as error:
            screen.show_error(str(error))
            return ExitCode.UNDECIDED
        except CallFailedError as failure:
            return report(failure, screen, is_json=self.json)
        return ExitCode.ALLOWED

    def _line(self, event: pb.WatchResponse) -> str:
        return json.dumps(to_bare(event)) if self.json else _words(event)


def _words(event: pb.WatchResponse) -> str:
    match event.WhichOneof("event"):
        case "changes":
            changes = event.changes.changes
            what = ", ".join(map(_change_words, changes))
            return f"changed {what}{_at(changes[0].revision if changes else '')}"
        case "drop_everything":
            return f"drop everything{_at(event.drop_everything.revision)}"
        case "beat":
            behind = event.beat.staleness.ToTimedelta().total_seconds()
            where = _at(event.beat.revision)
            return f"beat, {behind:.3f} s behind{where}"
        case None:
            return "something that this version does not know"


def _change_words(change: pb.Change) -> str:
    if not change.HasField("key"):
        return f"any {change.group}"
    return f"{change.group} {change.key}"


def _at(revision: str) -> str:
    return f", revision {revision}" if revision else ""
