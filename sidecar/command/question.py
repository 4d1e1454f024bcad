"""What every question of `ask` has in common: call, print, end with a code."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from authz.v1 import decision_pb2
from google.protobuf.message import Message

from sidecar.command.bare_json import BareJsonError, to_bare
from sidecar.command.client import Client, open_channel
from sidecar.command.failures import CallFailedError
from sidecar.command.options import Connection
from sidecar.command.pages import Page
from sidecar.command.problems import OptionError
from sidecar.command.screen import ExitCode, Screen
from sidecar.command.syntax import OptionSyntaxError

MALFORMED = (BareJsonError, OptionError, OptionSyntaxError)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, the page that people read, and how the command ends."""

    response: Message
    page: Page
    code: ExitCode = ExitCode.ALLOWED


@runtime_checkable
class Question(Protocol):
    """A question to the server, with its options as fields."""

    def ask(self, client: Client) -> Answer:
        """Makes the request, calls, and makes the page.

        Raises:
            CallFailedError: the call ended with a status.
            BareJsonError, OptionError, OptionSyntaxError: the options do not make a
                question.
        """
        ...


def put(question: Question, connection: Connection, screen: Screen) -> ExitCode:
    """Asks and prints the answer, or why there is none."""
    try:
        with open_channel(connection) as channel:
            answer = question.ask(Client(channel, connection.timeout))
    except MALFORMED as error:
        screen.show_error(str(error))
        return ExitCode.UNDECIDED
    except CallFailedError as failure:
        return report(failure, screen, is_json=connection.json)
    if connection.json:
        screen.show_json(to_bare(answer.response))
    else:
        screen.show(*answer.page)
    return answer.code


def report(failure: CallFailedError, screen: Screen, *, is_json: bool) -> ExitCode:
    """Prints a call that has no answer; with JSON a document goes to stdout too."""
    if is_json:
        screen.show_json(failure.as_json())
    screen.show_failure(failure)
    return ExitCode.DENIED if failure.is_denial else ExitCode.UNDECIDED


def code_of(decisions: Iterable[decision_pb2.Decision]) -> ExitCode:
    """Allowed when all are."""
    is_allowed = all(decision.allowed for decision in decisions)
    return ExitCode.ALLOWED if is_allowed else ExitCode.DENIED
