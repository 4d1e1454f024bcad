"""The questions that are answered with facts: contexts, permissions, filters."""

from dataclasses import dataclass
from typing import Annotated

import typer
from authz.v1 import authorization_service_pb2 as pb

from sidecar.command.bare_json import Json, from_bare
from sidecar.command.client import Client
from sidecar.command.options import Asking, Connection, Explaining
from sidecar.command.pages import (
    contexts_page,
    fields_page,
    filter_page,
    footer,
    permissions_page,
    problems_page,
)
from sidecar.command.question import Answer
from sidecar.command.screen import ExitCode
from sidecar.command.syntax import read_column, read_query, read_rule
from sidecar.command.words import caller_words, plain, query_words


@dataclass(frozen=True, kw_only=True)
class ResolveContext(Asking):
    """As which tenant does the caller act?"""

    def ask(self, client: Client) -> Answer:
        """See `Question.ask`."""
        request = from_bare(self.asker(), pb.ResolveContextRequest)
        response = client.ask("ResolveContext", request, pb.ResolveContextResponse)
        page = [
            *fields_page("tenant context", response.context),
            footer("", response.revision),
        ]
        return Answer(response, page)


@dataclass(frozen=True, kw_only=True)
class ListContexts(Asking):
    """As which tenants may the caller act?"""

    def ask(self, client: Client) -> Answer:
        """See `Question.ask`."""
        request = from_bare(self.asker(), pb.ListContextsRequest)
        response = client.ask("ListContexts", request, pb.ListContextsResponse)
        page = [*contexts_page(response.contexts), footer("", response.revision)]
        return Answer(response, page)


@dataclass(frozen=True, kw_only=True)
class GetPermissions(Explaining):
    """What do the caller's roles allow?"""

    queries: Annotated[
        list[str],
        typer.Argument(
            metavar="QUERY",
            help="DATA, UI or RESOURCE, with item and feature instance: "
            "DATA:data.contract@instance-1.",
        ),
    ]

    def ask(self, client: Client) -> Answer:
        """See `Question.ask`."""
        queries: list[Json] = [read_query(text) for text in self.queries]
        fields = {**self.explained_asker(), "queries": queries}
        request = from_bare(fields, pb.GetPermissionsRequest)
        response = client.ask("GetPermissions", request, pb.GetPermissionsResponse)
        questions = [query_words(query) for query in request.queries]
        page = [
            plain(f"what may {caller_words(request.caller)} do?", "bold"),
            *permissions_page(questions, response.permissions),
            footer(response.decision_id, response.revision),
        ]
        return Answer(response, page)


@dataclass(frozen=True, kw_only=True)
class GetListFilter(Asking):
    """Which rows of a kind may the caller list?"""

    kind: Annotated[str, typer.Argument(help="As declared in the settings.")]
    permission: Annotated[
        str | None,
        typer.Option(help="A DATA query whose read level is demanded as well."),
    ] = None
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="Asks for SQL: field=column, such as owner_principal_id=m.owner_id. "
            "May be repeated."
        ),
    ] = None
    style: Annotated[
        str, typer.Option(help="Of placeholders: dollar, format, question or named.")
    ] = "dollar"
    first_parameter: Annotated[
        int, typer.Option(help="The number of the first parameter.")
    ] = 1

    def ask(self, client: Client) -> Answer:
        """See `Question.ask`."""
        fields: dict[str, Json] = {**self.asker(), "kind": self.kind}
        if self.permission is not None:
            fields["permission"] = read_query(self.permission)
        if self.column:
            fields["sql"] = self._sql(self.column)
        request = from_bare(fields, pb.GetListFilterRequest)
        response = client.ask("GetListFilter", request, pb.GetListFilterResponse)
        title = f"which rows of {self.kind} may {caller_words(request.caller)} list?"
        page = [
            plain(title, "bold"),
            *filter_page(response),
            footer("", response.revision),
        ]
        return Answer(response, page)

    def _sql(self, columns: list[str]) -> Json:
        return {
            "columns": [read_column(text) for text in columns],
            "placeholder_style": self.style.upper(),
            "first_parameter": self.first_parameter,
        }


@dataclass(frozen=True, kw_only=True)
class ValidateAccessRules(Connection):
    """Could these access rules be stored?"""

    rules: Annotated[
        list[str],
        typer.Argument(
            metavar="RULE",
            help="role/DATA:data.contract,view,read=group,create=my, without an item "
            "for a generic one.",
        ),
    ]

    def ask(self, client: Client) -> Answer:
        """See `Question.ask`."""
        rules: list[Json] = [read_rule(text) for text in self.rules]
        request = from_bare({"rules": rules}, pb.ValidateAccessRulesRequest)
        response = client.ask(
            "ValidateAccessRules", request, pb.ValidateAccessRulesResponse
        )
        code = ExitCode.DENIED if response.problems else ExitCode.ALLOWED
        return Answer(response, problems_page(self.rules, response.problems), code)


@dataclass(frozen=True, kw_only=True)
class GetServerInfo(Connection):
    """What is this server, and what does this listener serve?"""

    def ask(self, client: Client) -> Answer:
        """See `Question.ask`."""
        request = pb.GetServerInfoRequest()
        response = client.ask("GetServerInfo", request, pb.GetServerInfoResponse)
        return Answer(response, fields_page("server", response))
