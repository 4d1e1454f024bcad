"""Why was this decided, and would it be decided so now? From a decision log."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from authz.v1 import caller_pb2

from sidecar.command.bare_json import Json
from sidecar.command.client import Client, open_channel
from sidecar.command.explain_answer import Now, ask_again
from sidecar.command.explain_page import Told, json_of, page_of
from sidecar.command.explain_question import (
    Again,
    CannotAskAgainError,
    again_of,
)
from sidecar.command.explain_since import since
from sidecar.command.failures import CallFailedError
from sidecar.command.options import Connection
from sidecar.command.problems import OptionError
from sidecar.command.question import report
from sidecar.command.running import Config
from sidecar.command.screen import ExitCode, Screen
from sidecar.command.syntax import OptionSyntaxError, read_consistency
from sidecar.command.words import caller_words
from sidecar.tools.decision_logs import LogError, Tally, find_record
from sidecar.tools.decision_records import Record

Logs = Annotated[
    list[Path],
    typer.Option(
        "--log",
        help="A decision log, with what rotation made of it; - for stdin. May be "
        "repeated.",
    ),
]
# A decision, and after a dot one element of it.
_ID = re.compile(r"(?P<decision>[^.]+)(?:\.(?P<element>[0-9]{1,6}))?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Explain(Connection):
    """Asks a logged question again: what was answered then, what now, and why.

    For example: authz-sidecar explain 73dc2fd90812-1 --log decisions.log
    """

    decision_id: Annotated[
        str,
        typer.Argument(
            metavar="DECISION_ID",
            help="As answers, headers and logs name it; with .0 its first element.",
        ),
    ]
    log: Logs
    consistency: Annotated[
        str,
        typer.Option(
            help="minimize-latency, fully-consistent or at-least:<revision>.",
        ),
    ] = "fully-consistent"
    changes: Annotated[
        bool,
        typer.Option(
            "--changes",
            help="Say which facts changed since, which a server knows for minutes.",
        ),
    ] = False
    config: Config = None
    routes: Annotated[
        Path | None,
        typer.Option(help="For decisions of the edge: the file of routes to judge by."),
    ] = None

    def run(self, screen: Screen) -> ExitCode:
        """Asks and compares: 0 the same answer, 1 another one, 2 none to compare."""
        record, element = self._found()
        try:
            told = self._told(record, element)
        except (CannotAskAgainError, OptionSyntaxError) as error:
            raise OptionError(f"decision `{record.decision_id}`: {error}") from error
        except CallFailedError as failure:
            report(failure, screen, is_json=self.json)
            return ExitCode.UNDECIDED
        if self.json:
            screen.show_json(json_of(told))
        else:
            screen.show(*page_of(told))
        return ExitCode.DENIED if told.changed else ExitCode.ALLOWED

    def _found(self) -> tuple[Record, int | None]:
        match = _ID.fullmatch(self.decision_id)
        if match is None:
            raise OptionError(f"`{self.decision_id}` is no decision's id")
        tally = Tally()
        try:
            record = find_record(self.log, match["decision"], tally)
        except LogError as error:
            raise OptionError(str(error)) from error
        if record is None:
            raise OptionError(
                f"no decision `{match['decision']}` in the log: {tally.words}"
            )
        element = match["element"]
        return record, None if element is None else int(element)

    def _told(self, record: Record, element: int | None) -> Told:
        consistency: dict[str, Json] = {
            "consistency": read_consistency(self.consistency)
        }
        with open_channel(self) as channel:
            client = Client(channel, self.timeout)
            told = (
                self._judged(record, client, consistency, element)
                if record.is_edge
                else _asked(client, again_of(record, element), consistency)
            )
            if not self.changes:
                return told
            found = since(client, record.revision, self.timeout)
            return replace(told, since=found)

    def _judged(
        self,
        record: Record,
        client: Client,
        consistency: dict[str, Json],
        element: int | None,
    ) -> Told:
        # Whoever asks about a call of the API need not wait for the edge.
        from sidecar.command import explain_edge as edge  # noqa: PLC0415

        again = edge.edge_again(record, client, consistency, element)
        routes = self.routes
        routing = None if routes is None else edge.Routing(routes, self.config)
        judged = again.judge(routing)
        notes = _notes(record, judged.caller, judged.now, proved=judged.proved)
        named = caller_words(judged.caller) if again.caller else "nobody"
        title = f"may {named} send {edge.words_of(record)}?"
        return Told(
            record,
            title,
            judged.caller,
            judged.compared,
            judged.now,
            [*judged.notes, *notes],
        )


def _asked(client: Client, again: Again, consistency: Mapping[str, Json]) -> Told:
    now, compared = ask_again(client, again, consistency)
    notes = _notes(again.record, again.caller, now, proved=again.proved)
    title = again.call.title.format(caller_words(again.caller))
    return Told(again.record, title, again.caller, compared, now, list(notes))


def _notes(
    record: Record, caller: caller_pb2.Caller, now: Now | None, *, proved: bool
) -> Iterator[str]:
    if proved:
        yield (
            f"{caller_words(caller)} is named, whom a credential proved then: whether "
            "that is good still is not asked"
        )
    if record.truncated is not None:
        yield "the log has not all that was asked: what was cut cannot be asked again"
    if now is not None and not now.explains:
        yield "this listener does not explain, so why it is so is not told"
