"""What became of test files: for people, for programs, and as JUnit's XML."""

import io
import re
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as ET

from authz.v1 import authorization_service_pb2 as pb
from google.protobuf.message import Message
from rich.console import Console
from rich.text import Text

from sidecar.command.bare_json import Json, to_bare
from sidecar.command.explanations import decision_tree, permission_tree
from sidecar.command.pages import Page, fields_page
from sidecar.command.policy_run import Outcome, Report, Result
from sidecar.command.policy_suite import Check
from sidecar.command.words import plain, requirement_words
from sidecar.store.anomalies import Anomaly

# What XML 1.0 cannot hold, escaped or not.
_NO_XML: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WIDTH: Final = 160


def page(reports: Sequence[Report], *, verbose: bool) -> Page:
    """Each failure with its explanation, then a line of counts.

    `verbose`: each check that passed with its answer, too.
    """
    shown: Page = []
    for report in reports:
        for result in report.results:
            if result.outcome is Outcome.FAILED:
                shown += _failure(report, result)
            elif verbose:
                shown.append(_line(report, result))
        shown += _remarks(report)
    return [*shown, _counts(reports)]


def as_json(reports: Sequence[Report]) -> dict[str, Json]:
    """The same as one document."""
    return {
        **{each.value: _total(reports, each) for each in Outcome},
        "left_out": sum(report.left_out for report in reports),
        "files": [
            {
                "file": str(report.path),
                "seconds": round(report.seconds, 6),
                "checks": [_check_json(result) for result in report.results],
                "malformed": [_malformed_json(each) for each in report.malformed],
            }
            for report in reports
        ],
    }


def as_junit(reports: Sequence[Report]) -> str:
    """The same as JUnit's XML, which build servers show."""
    root = ET.Element("testsuites", _xml_counts(reports))
    for report in reports:
        named = {"name": _xml(str(report.path)), **_xml_counts([report])}
        suite = ET.SubElement(root, "testsuite", named)
        for result in report.results:
            _add_case(suite, report, result)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _failure(report: Report, result: Result) -> Page:
    check = result.check
    asker = f"  by {check.caller}" if check.caller else ""
    lines = [
        Text("FAILED  ", "red").append_text(plain(_where(report, result), "bold")),
        plain(f"  {check.test}"),
        plain(f"  asked   {check.question}{asker}"),
        Text("  wanted  ").append_text(plain(check.wanted.words, "green")),
        Text("  got     ").append_text(plain(result.found, "red")),
    ]
    return [
        *lines,
        *_why(result),
        Text(),
    ]


def _why(result: Result) -> Page:
    question = f"why: {result.check.question}"
    match result.explained:
        case pb.GetPermissionsResponse() as answer:
            return [permission_tree(question, answer.permissions[0].explanation)]
        case pb.CheckRoleResponse() as answer:
            return [decision_tree(question, answer.decision.explanation)]
        case pb.ResolveContextResponse() as answer:
            return fields_page("context", answer.context)
        case None:
            return []
        case answer:
            return _each_why(result.check, answer)


def _each_why(check: Check, answer: Message) -> Page:
    # What remains are the checks, which have decisions.
    decisions = getattr(answer, "decisions")  # noqa: B009
    questions = [check.question]
    if isinstance(check.request, pb.AuthorizeRequest):
        questions = [requirement_words(each) for each in check.request.requirements]
    return [
        decision_tree(f"why: {question}", each.explanation)
        for question, each in zip(questions, decisions, strict=True)
    ]


def _line(report: Report, result: Result) -> Text:
    check = result.check
    style = "green" if result.outcome is Outcome.PASSED else "yellow"
    told = result.found or check.skip
    words = f"{_where(report, result)} {check.name}: {told}"
    return Text(f"{result.outcome.value:<8}", style).append_text(plain(words))


def _remarks(report: Report) -> Page:
    remarks = [
        f"row `{each.key}` of {each.relation} failed closed: {each.problem.value}"
        for each in report.malformed
    ]
    if report.left_out:
        remarks.append(f"{report.left_out} tests left out, as others say `only`")
    return [plain(f"{report.path}: {remark}", "yellow") for remark in remarks]


def _counts(reports: Sequence[Report]) -> Text:
    total = sum(len(report.results) for report in reports)
    parts = [f"{_total(reports, Outcome.PASSED)} of {total} passed"]
    failed, skipped = (_total(reports, o) for o in (Outcome.FAILED, Outcome.SKIPPED))
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{skipped} skipped"] if skipped else []
    seconds = sum(report.seconds for report in reports)
    return Text(f"{', '.join(parts)}  ({seconds:.2f} s)", "red" if failed else "green")


def _where(report: Report, result: Result) -> str:
    place = result.check.place
    return f"{report.path}:{place.line}:{place.column}"


def _total(reports: Sequence[Report], outcome: Outcome) -> int:
    return sum(report.count(outcome) for report in reports)


def _check_json(result: Result) -> dict[str, Json]:
    check = result.check
    told: dict[str, Json] = {
        "name": check.name,
        "line": check.place.line,
        "column": check.place.column,
        "outcome": result.outcome.value,
        "wanted": check.wanted.words,
    }
    if result.found:
        told["got"] = result.found
    if check.skip:
        told["skip"] = check.skip
    if result.explained is not None:
        told["explained"] = _bare(result.explained)
    return told


def _malformed_json(anomaly: Anomaly) -> Json:
    return {
        "relation": anomaly.relation,
        "key": anomaly.key,
        "problem": anomaly.problem.value,
    }


def _bare(message: Message) -> dict[str, Json]:
    # Nobody can look the decision up: it was made here and is not logged.
    return {name: v for name, v in to_bare(message).items() if name != "decision_id"}


def _add_case(suite: ET.Element, report: Report, result: Result) -> None:
    check = result.check
    named = {
        "classname": _xml(report.path.stem),
        "name": _xml(check.name),
        "file": _xml(str(report.path)),
        "line": str(check.place.line),
    }
    case = ET.SubElement(suite, "testcase", named)
    if result.outcome is Outcome.SKIPPED:
        ET.SubElement(case, "skipped", {"message": _xml(check.skip)})
    elif result.outcome is Outcome.FAILED:
        message = f"wanted {check.wanted.words}, got {result.found}"
        failure = ET.SubElement(case, "failure", {"message": _xml(message)})
        failure.text = _xml(_rendered(_failure(report, result)))


def _xml_counts(reports: Sequence[Report]) -> dict[str, str]:
    return {
        "tests": str(sum(len(report.results) for report in reports)),
        "failures": str(_total(reports, Outcome.FAILED)),
        "skipped": str(_total(reports, Outcome.SKIPPED)),
        "errors": "0",
        "time": f"{sum(report.seconds for report in reports):.3f}",
    }


def _rendered(parts: Page) -> str:
    console = Console(file=io.StringIO(), width=_WIDTH, color_system=None)
    with console.capture() as captured:
        console.print(*parts, sep="\n")
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _xml(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
