"""Answers as pages for people: tables with the question beside the answer."""

from collections.abc import Iterable, Sequence
from itertools import chain, repeat

from authz.v1 import authorization_service_pb2 as pb
from authz.v1 import caller_pb2, decision_pb2, filter_pb2, permission_pb2
from google.protobuf.message import Message
from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from sidecar.command.advice import Asked, advise
from sidecar.command.bare_json import to_bare
from sidecar.command.explanations import decision_tree, permission_tree
from sidecar.command.words import enum_word, filter_words, plain

Page = list[RenderableType]

_OPERATIONS = ("read", "create", "update", "delete")


def decisions_page(
    questions: Sequence[str],
    decisions: Sequence[decision_pb2.Decision],
    asked: Sequence[Asked] = (),
) -> Page:
    """A row for each decision, and below the explanations that came along.

    With what was `asked`, they say what would help.
    """
    table = _table("question", "answer", "reason", "why")
    trees: Page = []
    wanted = chain(asked, repeat(None))
    for question, decision, each in zip(questions, decisions, wanted, strict=False):
        table.add_row(plain(question), *decision_cells(decision))
        if decision.HasField("explanation"):
            advice = None if each is None else advise(decision, each)
            trees.append(decision_tree(question, decision.explanation, advice))
    return [table, *trees]


def verdict_line(decision: decision_pb2.Decision) -> Text:
    """One decision on one line."""
    answer, reason, why = decision_cells(decision)
    return Text("  ").join([answer, reason, why])


def decision_cells(decision: decision_pb2.Decision) -> tuple[Text, Text, Text]:
    """The answer, its reason and the same for people."""
    answer = Text("allowed", style="green")
    if not decision.allowed:
        denial = enum_word(decision_pb2.Denial.DESCRIPTOR, decision.denial)
        answer = Text(f"denied {denial}", style="red")
    reason = enum_word(decision_pb2.Reason.DESCRIPTOR, decision.reason)
    return answer, Text(reason), plain(decision.message)


def fields_page(title: str, message: Message) -> Page:
    """The fields of a message, one to a line."""
    table = _table(title, "")
    for name, value in to_bare(message).items():
        shown = value if isinstance(value, list) else [value]
        table.add_row(name, plain(", ".join(map(_cell, shown)) or "none"))
    return [table]


def contexts_page(contexts: Iterable[caller_pb2.AvailableContext]) -> Page:
    """The tenants as which a caller may act."""
    table = _table("acts as", "principal", "role", "name")
    for context in contexts:
        role = enum_word(caller_pb2.OrgRole.DESCRIPTOR, context.org_role)
        table.add_row(
            enum_word(caller_pb2.ContextKind.DESCRIPTOR, context.kind),
            plain(context.principal_id or "-"),
            role if context.org_role else "-",
            plain(context.name),
        )
    return [table]


def permissions_page(
    questions: Sequence[str], answers: Sequence[permission_pb2.Permissions]
) -> Page:
    """A row for each query, and below the explanations that came along."""
    table = _table("query", "view", *_OPERATIONS)
    trees: Page = []
    for question, answer in zip(questions, answers, strict=False):
        levels = [_level_cell(getattr(answer, name)) for name in _OPERATIONS]
        view = Text("yes", "green") if answer.view else Text("no", "red")
        table.add_row(plain(question), view, *levels)
        if answer.HasField("explanation"):
            trees.append(permission_tree(question, answer.explanation))
    return [table, *trees]


def filter_page(response: pb.GetListFilterResponse) -> Page:
    """A list filter as a formula and, when it came along, as SQL."""
    page: Page = [Text("rows  ").append_text(plain(filter_words(response.filter)))]
    if response.HasField("sql"):
        page.append(Text("sql   ").append_text(plain(response.sql.text)))
        page += [
            Text(f"  {index}   ").append_text(plain(_parameter_words(parameter)))
            for index, parameter in enumerate(response.sql.parameters, start=1)
        ]
    return page


def problems_page(
    rules: Sequence[str], problems: Sequence[permission_pb2.AccessRuleProblem]
) -> Page:
    """A row for each problem of a rule."""
    if not problems:
        return [Text("every rule is valid", style="green")]
    table = _table("rule", "field", "reason", "why")
    for problem in problems:
        table.add_row(
            plain(rules[problem.rule_index]),
            plain(problem.field),
            enum_word(permission_pb2.AccessRuleFault.DESCRIPTOR, problem.reason),
            plain(problem.message),
        )
    return [table]


def footer(decision_id: str, revision: str) -> Text:
    """What names an answer in logs, and how fresh it is."""
    parts = [f"decision {decision_id}"] if decision_id else []
    parts += [f"revision {revision}"] if revision else []
    return plain(", ".join(parts), "dim")


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _cell(value: object) -> str:
    match value:
        case True:
            return "yes"
        case False:
            return "no"
        case dict():
            return ", ".join(f"{name} {_cell(each)}" for name, each in value.items())
        case _:
            return str(value)


def _level_cell(level: int) -> Text:
    name = enum_word(permission_pb2.AccessLevel.DESCRIPTOR, level)
    return Text(name, "dim" if level == permission_pb2.ACCESS_LEVEL_NONE else "")


def _parameter_words(parameter: filter_pb2.SqlParameter) -> str:
    return ", ".join(
        f"{name} {_values(value)}" for name, value in to_bare(parameter).items()
    )


def _values(value: object) -> str:
    match value:
        case {"values": list(values)}:
            return f"[{', '.join(map(str, values))}]"
        case _:
            return str(value)
