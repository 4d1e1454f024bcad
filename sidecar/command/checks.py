"""The questions that are answered with decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from authz.v1 import authorization_service_pb2 as pb
from authz.v1 import caller_pb2, decision_pb2
from authz.v1.resource_pb2 import Requirement, WritableRequirement
from rich.text import Text

from sidecar.command.advice import Asked
from sidecar.command.bare_json import Json, from_bare
from sidecar.command.client import Client
from sidecar.command.options import Explaining
from sidecar.command.pages import Page, decisions_page, footer, verdict_line
from sidecar.command.question import Answer, code_of
from sidecar.command.syntax import (
    read_gate,
    read_new_resource,
    read_requirement,
    read_resource,
)
from sidecar.command.words import (
    caller_words,
    gate_words,
    new_resource_words,
    plain,
    requirement_words,
    resource_words,
)

Resources = Annotated[
    list[str],
    typer.Argument(
        metavar="RESOURCE",
        help="kind/id, or with what is known of it: kind/id,owner=5,cluster=7.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class CheckVisible(Explaining):
    """May the caller see these resources?"""

    resources: Resources

    def ask(self, client: Client) -> Answer:
        """See `Question.ask`."""
        resources: list[Json] = [read_resource(text) for text in self.resources]
        fields = {**self.explained_asker(), "resources": resources}
        request = from_bare(fields, pb.CheckVisibleRequest)
        response = client.ask("CheckVisible", request, pb.CheckVisibleResponse)
        questions = [resource_words(resource) for resource in request.resources]
        title = _title("what of this may {} see?", request.caller)
        wanted = [Requirement(visible=resource) for resource in request.resources]
        return _many(title, questions, response, _asked(request.caller, wanted))


@dataclass(frozen=True, kw_only=True)
class CheckWritable(Explaining):
    """May the caller change these resources?"""

    resources: Resources
    skip_visible: Annotated[
        bool, typer.Option("--skip-visible", help="Visibility was checked already.")
    ] = False

    def ask(self, client: Client) -> Answer:
        """See `Question.ask`."""
        resources: list[Json] = [read_resource(text) for text in self.resources]
        fields = {
            **self.explained_asker(),
            "resources": resources,
            "skip_visible": self.skip_visible,
        }
        request = from_bare(fields, pb.CheckWritableRequest)
        response = client.ask("CheckWritable", request, pb.CheckWritableResponse)
        questions = [resource_words(resource) for resource in request.resources]
        title = _title("what of this may {} change?", request.caller)
        wanted = [
            Requirement(writable=WritableRequirement(resource=resource))
            for resource in request.resources
        ]
        return _many(title, questions, response, _asked(request.caller, wanted))


@dataclass(frozen=True, kw_only=True)
class CheckCreatable(Explaining):
    """May the caller create such resources?"""

    resources: Annotated[
        list[str],
        typer.Argument(
            metavar="RESOURCE", help="kind,owner=5 or kind,global, or kind alone."
        ),
    ]

    def ask(self, client: Client) -> Answer:
        """See `Question.ask`."""
        resources: list[Json] = [read_new_resource(text) for text in self.resources]
        fields = {**self.explained_asker(), "resources": resources}
        request = from_bare(fields, pb.CheckCreatableRequest)
        response = client.ask("CheckCreatable", request, pb.CheckCreatableResponse)
        questions = [new_resource_words(resource) for resource in request.resources]
        title = _title("what of this may {} create?", request.caller)
        wanted = [Requirement(creatable=resource) for resource in request.resources]
        return _many(title, questions, response, _asked(request.caller, wanted))


@dataclass(frozen=True, kw_only=True)
class CheckRole(Explaining):
    """Does the caller pass a role gate?"""

    gate: Annotated[
        str,
        typer.Argument(help="platform_admin, or org roles: admin, or 'admin|user'."),
    ]

    def ask(self, client: Client) -> Answer:
        """See `Question.ask`."""
        fields = {**self.explained_asker(), "gate": read_gate(self.gate)}
        request = from_bare(fields, pb.CheckRoleRequest)
        response = client.ask("CheckRole", request, pb.CheckRoleResponse)
        asked = _asked(request.caller, [Requirement(role=request.gate)])
        page = [
            _title("does {} pass this gate?", request.caller),
            *decisions_page([gate_words(request.gate)], [response.decision], asked),
            footer(response.decision_id, response.revision),
        ]
        return Answer(response, page, code_of([response.decision]))


@dataclass(frozen=True, kw_only=True)
class Authorize(Explaining):
    """Do all these requirements hold?"""

    requirements: Annotated[
        list[str],
        typer.Argument(
            metavar="REQUIREMENT",
            help="visible:cluster/7, writable:cluster/7, creatable:model,owner=5, "
            "role:admin, permission:DATA:data.contract:update>=group.",
        ),
    ]

    def ask(self, client: Client) -> Answer:
        """See `Question.ask`."""
        requirements: list[Json] = [read_requirement(one) for one in self.requirements]
        fields = {**self.explained_asker(), "requirements": requirements}
        request = from_bare(fields, pb.AuthorizeRequest)
        response = client.ask("Authorize", request, pb.AuthorizeResponse)
        questions = [requirement_words(one) for one in request.requirements]
        asked = _asked(request.caller, request.requirements)
        page: Page = [
            _title("does all of this hold for {}?", request.caller),
            verdict_line(response.decision),
            *decisions_page(questions, response.decisions, asked),
            footer(response.decision_id, response.revision),
        ]
        return Answer(response, page, code_of([response.decision]))


_Responses = (
    pb.CheckVisibleResponse | pb.CheckWritableResponse | pb.CheckCreatableResponse
)


def _many(
    title: Text, questions: Sequence[str], response: _Responses, asked: Sequence[Asked]
) -> Answer:
    decisions: Sequence[decision_pb2.Decision] = response.decisions
    page: Page = [
        title,
        *decisions_page(questions, decisions, asked),
        footer(response.decision_id, response.revision),
    ]
    return Answer(response, page, code_of(decisions))


def _asked(
    caller: caller_pb2.Caller, requirements: Sequence[Requirement]
) -> list[Asked]:
    return [Asked(caller, each) for each in requirements]


def _title(form: str, caller: caller_pb2.Caller) -> Text:
    return plain(form.format(caller_words(caller)), "bold")
