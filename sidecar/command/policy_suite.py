"""A test file, read to checks: each one question and the answer that is wanted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from google.protobuf.message import Message

from sidecar.command.policy_callers import Caller, Callers, find_caller, read_callers
from sidecar.command.policy_questions import (
    AUTHORIZE,
    CALLER_FORMS,
    ELEMENT_FORMS,
    QUESTIONS,
    RULES,
    Form,
    make_authorize,
    make_request,
    make_rules,
)
from sidecar.command.policy_syntax import read_rule_verdict, read_verdict
from sidecar.command.policy_wanted import Wanted
from sidecar.tools.policy_yaml import (
    Entries,
    FileError,
    Listing,
    Node,
    Place,
    Scalar,
    entries,
    fields,
    flag,
    items,
    read_tree,
    text,
)

_FILE: Final = ("directory", "settings", "now", "callers", "tests")
_TEST: Final = ("name", "caller", "callers", "wanted", "only", "skip", *QUESTIONS)


@dataclass(frozen=True, slots=True)
class Check:
    """One question, and the answer that is wanted.

    `skip` says why it is not asked, and is empty when it is.
    """

    test: str
    caller: str
    question: str
    place: Place
    call: str
    request: Message
    wanted: Wanted
    skip: str

    @property
    def name(self) -> str:
        """What names it among those of its file."""
        asker = f"{self.caller}: " if self.caller else ""
        return f"{self.test} [{asker}{self.question}]"


@dataclass(frozen=True, slots=True)
class Suite:
    """A test file. `directory` is the path of a document, or a document's text.

    `now` is in seconds since 1970. With `left_out` checks, others have `only`.
    """

    directory: Path | str | None
    settings: Path | None
    now: float | None
    checks: tuple[Check, ...]
    left_out: int


def read_suite(source: str, folder: Path) -> Suite:
    """The checks of a test file; the paths in it start at `folder`.

    Raises:
        FileError: the file is not of its form.
    """
    root = read_tree(source)
    found = fields(root, _FILE, "a test file")
    callers = read_callers(found.get("callers"))
    tests = items(needed(found, "tests", root), "`tests`")
    read = [_Test.read(node, callers) for node in tests]
    _refuse_twice(read)
    chosen = [test for test in read if test.only] or read
    checks = tuple(check for test in chosen for check in test.checks())
    if not checks:
        raise FileError("there is nothing to check", root.place)
    return Suite(
        read_directory(found.get("directory"), folder),
        read_path(found.get("settings"), folder),
        read_now(found.get("now")),
        checks,
        len([test for test in read if test not in chosen]),
    )


@dataclass(frozen=True, slots=True)
class _Test:
    name: str
    node: Node
    question: str
    parts: Mapping[str, Node]
    callers: Callers
    only: bool
    skip: str = field(default="")

    @classmethod
    def read(cls, node: Node, callers: Callers) -> "_Test":
        """A test; its question is read by `checks`."""
        parts = fields(node, _TEST, "a test")
        asked = [name for name in QUESTIONS if name in parts]
        if len(asked) != 1:
            choice = ", ".join(f"`{name}`" for name in QUESTIONS)
            raise FileError(f"a test asks exactly one of {choice}", node.place)
        return cls(
            name=text(needed(parts, "name", node), "`name`"),
            node=node,
            question=asked[0],
            parts=parts,
            callers=callers,
            only="only" in parts and flag(parts["only"], "`only`"),
            skip=text(parts["skip"], "`skip`") if "skip" in parts else "",
        )

    def checks(self) -> Iterator[Check]:
        """Every question of it."""
        asked = self.parts[self.question]
        if self.question == RULES:
            return self._about_rules(entries(asked, "`rules`"))
        if self.question == AUTHORIZE:
            return self._about_requirements(items(asked, "`authorize`"))
        if self.question in CALLER_FORMS:
            return self._about_callers(CALLER_FORMS[self.question], asked)
        return self._about_elements(ELEMENT_FORMS[self.question], asked)

    def _about_rules(self, asked: Entries) -> Iterator[Check]:
        self._refuse("caller", "callers", "wanted")
        keys = [(text(key, "a rule"), key.place) for key, _ in asked.entries]
        request = make_rules(keys)
        for index, (key, answer) in enumerate(asked.entries):
            wanted = read_rule_verdict(answer, index)
            yield self._check("ValidateAccessRules", key, "", request, wanted)

    def _about_requirements(self, asked: Sequence[Node]) -> Iterator[Check]:
        wanted = needed(self.parts, "wanted", self.node)
        written = [(text(node, "a requirement"), node.place) for node in asked]
        words = " and ".join(requirement for requirement, _ in written)
        for caller, answer in self._rows(wanted):
            request = make_authorize(written, caller.message)
            element = Scalar(words, answer.place)
            verdict = read_verdict(answer)
            yield self._check("Authorize", element, caller.name, request, verdict)

    def _about_callers(self, form: Form, asked: Node) -> Iterator[Check]:
        self._refuse("wanted")
        wanted = form.read_wanted(asked)
        for caller in self._named_callers():
            request = make_request(form, "", caller.message, asked.place)
            element = Scalar("", asked.place)
            yield self._check(form.call, element, caller.name, request, wanted)

    def _about_elements(self, form: Form, asked: Node) -> Iterator[Check]:
        if isinstance(asked, Listing):
            wanted = needed(self.parts, "wanted", self.node)
            table = [
                (caller, list(paired(asked.items, row)))
                for caller, row in self._rows(wanted)
            ]
        else:
            self._refuse("wanted")
            found = entries(asked, f"`{self.question}`")
            table = [(each, list(found.entries)) for each in self._named_callers()]
        for caller, cells in table:
            for element, answer in cells:
                written = text(element, "an element")
                request = make_request(form, written, caller.message, element.place)
                cell = Scalar(written, answer.place)
                wanted_here = form.read_wanted(answer)
                yield self._check(form.call, cell, caller.name, request, wanted_here)

    def _rows(self, wanted: Node) -> Iterator[tuple[Caller, Node]]:
        """Each caller with the answers that are wanted for it."""
        if isinstance(wanted, Entries):
            self._refuse("caller", "callers")
            for key, answers in wanted.entries:
                yield find_caller(self.callers, key), answers
        else:
            for caller in self._named_callers():
                yield caller, wanted

    def _named_callers(self) -> list[Caller]:
        if "callers" in self.parts:
            self._refuse("caller")
            named = items(self.parts["callers"], "`callers`")
            return [find_caller(self.callers, node) for node in named]
        return [find_caller(self.callers, needed(self.parts, "caller", self.node))]

    def _refuse(self, *names: str) -> None:
        for name in names:
            if name in self.parts:
                problem = f"`{name}` has no place here"
                raise FileError(problem, self.parts[name].place)

    def _check(
        self, call: str, element: Scalar, caller: str, request: Message, wanted: Wanted
    ) -> Check:
        question = f"{self.question} {element.text}".strip()
        return Check(
            test=self.name,
            caller=caller,
            question=question,
            place=element.place,
            call=call,
            request=request,
            wanted=wanted,
            skip=self.skip,
        )


def paired(elements: Sequence[Node], row: Node) -> Iterator[tuple[Node, Node]]:
    """Each element with its answer: a list in their order, or one for all."""
    if not isinstance(row, Listing):
        return zip(elements, [row] * len(elements), strict=True)
    if len(row.items) != len(elements):
        problem = f"{len(row.items)} answers for {len(elements)} questions"
        raise FileError(problem, row.place)
    return zip(elements, row.items, strict=True)


def read_directory(node: Node | None, folder: Path) -> Path | str | None:
    """The path of a document, or a document that stands in place, or none."""
    return node.source() if isinstance(node, Entries) else read_path(node, folder)


def read_path(node: Node | None, folder: Path) -> Path | None:
    """A path that starts at a folder, or none; raises FileError."""
    return None if node is None else folder / text(node, "a path")


def read_now(node: Node | None) -> float | None:
    """A time in seconds since 1970, or none; raises FileError."""
    if node is None:
        return None
    written = text(node, "`now`")
    try:
        found = datetime.fromisoformat(written)
    except ValueError as error:
        problem = f"`{written}` is no time like 2030-01-31T12:00:00Z"
        raise FileError(problem, node.place) from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def needed(parts: Mapping[str, Node], name: str, node: Node) -> Node:
    """A part that must be there; raises FileError when it is not."""
    if name not in parts:
        raise FileError(f"`{name}` is missing", node.place)
    return parts[name]


def _refuse_twice(tests: Sequence[_Test]) -> None:
    seen: set[str] = set()
    for test in tests:
        if test.name in seen:
            raise FileError(f"another test is called `{test.name}`", test.node.place)
        seen.add(test.name)
