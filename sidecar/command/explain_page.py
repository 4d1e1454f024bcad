"""The answers of then beside those of now, for people and for programs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from authz.v1 import caller_pb2, decision_pb2, permission_pb2
from rich import box
from rich.table import Table
from rich.text import Text

from sidecar.command.advice import Asked, advise
from sidecar.command.bare_json import Json, to_bare
from sidecar.command.explain_answer import Answer, Compared, Now
from sidecar.command.explain_history import Between, Course, between
from sidecar.command.explain_since import Since
from sidecar.command.explanations import decision_tree, permission_tree
from sidecar.command.pages import Page
from sidecar.command.words import plain
from sidecar.tools.decision_records import Fields, Record

_OK = "OK"


@dataclass(frozen=True, slots=True)
class Told:
    """A decision of then, asked again.

    `now` is none when no server was asked, `since` when that was not wanted; `notes`
    are what to know of how it was asked.
    """

    record: Record
    title: str
    caller: caller_pb2.Caller
    compared: Sequence[Compared]
    now: Now | None
    notes: Sequence[str] = ()
    since: Since | None = None

    @property
    def revision(self) -> str:
        """That of now; empty where there is none."""
        return "" if self.now is None else self.now.revision

    @property
    def decision_id(self) -> str:
        """That of now; empty where there is none."""
        return "" if self.now is None else self.now.decision_id

    @property
    def between(self) -> Between:
        """What is known of the facts between then and now."""
        return between(self.record.revision, self.revision)

    @property
    def changed(self) -> list[Compared]:
        """What is answered in another way now."""
        return [each for each in self.compared if not each.is_same]


def page_of(told: Told) -> Page:
    """Then and now side by side, why it is so now, and what is known of the time."""
    record, changed = told.record, told.changed
    return [
        plain(told.title, "bold"),
        plain(_when(record), "dim"),
        _table(told.compared),
        *_trees(told, changed or told.compared),
        _verdict(changed, len(told.compared)),
        *(plain(f"  {line}") for line in _lines(told)),
        plain(_footer(told), "dim"),
    ]


def json_of(told: Told) -> dict[str, Json]:
    """The same as one document."""
    record = told.record
    document: dict[str, Json] = {
        "decision_id": record.decision_id,
        "time": record.time,
        "source": record.text("source"),
        "rpc": record.rpc,
        "caller": to_bare(told.caller),
        "same": not told.changed,
        "changed": len(told.changed),
        "answers": [_answer_json(index, each) for index, each in _numbered(told)],
        "then": {"code": record.code or _OK, "revision": record.revision or ""},
        "now": {"decision_id": told.decision_id, "revision": told.revision},
        "history": told.between.course.value,
        "notes": list[Json](_lines(told)),
    }
    if told.since is not None and told.since.changes is not None:
        document["changes"] = [
            {"group": group} if key is None else {"group": group, "key": key}
            for group, key in told.since.changes
        ]
    if record.edge:
        document["edge"] = dict(record.edge)
    if record.truncated is not None:
        document["truncated"] = dict(record.truncated)
    return document


def _numbered(told: Told) -> Iterable[tuple[int, Compared]]:
    return enumerate(told.compared)


def _answer_json(index: int, compared: Compared) -> Json:
    message = compared.now.message
    return {
        "index": index,
        "question": compared.words,
        "same": compared.is_same,
        "then": dict(compared.then),
        "now": dict(compared.now.fields) if message is None else to_bare(message),
    }


def _when(record: Record) -> str:
    parts = [f"decision {record.decision_id}", f"made {record.time}"]
    if record.text("listener"):
        parts.append(f"at {record.text('listener')}")
    if record.text("peer"):
        parts.append(f"for {record.text('peer')}")
    return ", ".join(parts)


def _table(compared: Sequence[Compared]) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in ("question", "then", "now", ""):
        table.add_column(column, overflow="fold")
    for each in compared:
        mark = Text("same", "dim") if each.is_same else Text("CHANGED", "yellow")
        table.add_row(
            plain(each.words),
            answer_cell(each.then),
            answer_cell(each.now.fields),
            mark,
        )
    return table


def answer_cell(fields: Fields) -> Text:
    """An answer in few words."""
    match fields:
        case {"allowed": True, "reason": reason}:
            return Text("allowed ", "green").append_text(plain(str(reason)))
        case {"allowed": False, "reason": reason}:
            denial = str(fields.get("denial", ""))
            return Text("denied ", "red").append_text(plain(f"{denial} {reason}"))
        case {"code": code, "reason": reason}:
            return Text("no answer ", "red").append_text(plain(f"{code} {reason}"))
        case _:
            return plain(_words(fields) or "nothing")


def _words(fields: Fields) -> str:
    return ", ".join(f"{name} {_word(value)}" for name, value in fields.items())


def _word(value: Json) -> str:
    match value:
        case True:
            return "yes"
        case False:
            return "no"
        case dict():
            return f"({_words(value)})"
        case list():
            return f"[{', '.join(map(_word, value))}]"
        case _:
            return str(value)


def _trees(told: Told, compared: Iterable[Compared]) -> Page:
    return [
        tree
        for each in compared
        if each.now.is_explained
        for tree in _tree(told.caller, each, each.now)
    ]


def _tree(caller: caller_pb2.Caller, compared: Compared, now: Answer) -> Page:
    title = f"now: {compared.words}"
    match now.message:
        case decision_pb2.Decision() as decision:
            wanted = compared.requirement
            advice = None if wanted is None else advise(decision, Asked(caller, wanted))
            return [decision_tree(title, decision.explanation, advice)]
        case permission_pb2.Permissions() as permissions:
            return [permission_tree(title, permissions.explanation)]
        case _:
            return []


def _verdict(changed: Sequence[Compared], count: int) -> Text:
    if not changed:
        return Text("the answer is the same as then", "green")
    if count == 1:
        return Text("the answer is another one than then", "yellow")
    return Text(f"{len(changed)} of {count} answers are other ones than then", "yellow")


def _lines(told: Told) -> list[str]:
    lines = [told.between.words]
    if told.changed and told.between.course is Course.UNMOVED:
        lines.append(
            "what changed is not a fact, then: look at the settings, and at what ends "
            "with time"
        )
    if told.since is not None:
        lines.append(told.since.words)
    return [*lines, *told.notes]


def _footer(told: Told) -> str:
    parts = [f"then revision {told.record.revision or 'unknown'}"]
    parts.append(f"now revision {told.revision or 'unknown'}")
    if told.decision_id:
        parts.append(f"decision {told.decision_id}")
    return ", ".join(parts)
