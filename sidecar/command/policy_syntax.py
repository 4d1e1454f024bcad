"""Wanted answers as a test file writes them.

decision      allowed   denied   allowed OWNED   denied FORBIDDEN   refused
permissions   nothing   view read=group create<=my update>=my   no-view
filter        everything   nothing   owner_principal_id = 1
context       fields of the tenant context, or a denial
rule          valid   invalid   invalid create EXCEEDS_READ
"""

import re
from collections.abc import Mapping
from typing import Final

from authz.v1 import caller_pb2
from google.protobuf.message import Message
from grpc import StatusCode

from sidecar.command.bare_json import Field, bare_names
from sidecar.command.policy_answers import OPERATIONS
from sidecar.command.policy_wanted import (
    LEVELS,
    SEPARATORS,
    Formula,
    Levels,
    Part,
    Parts,
    RuleVerdict,
    Verdict,
    Wanted,
    part_words,
)
from sidecar.core.reasons import Denial, RuleFault
from sidecar.tools.policy_yaml import (
    Entries,
    FileError,
    Listing,
    Node,
    Place,
    Scalar,
    fields,
    items,
    meant,
    text,
)
from sidecar.transport.status import TABLE

_LETTERS: Final = {word[0]: word for word in LEVELS}
_LEVEL: Final = re.compile(r"(?P<operation>\w+)(?P<sign>=|>=|<=)(?P<level>\w+)")
_RULE_FIELDS: Final = ("item", "context", "view", *OPERATIONS)


def _verdict_words() -> Mapping[str, frozenset[str]]:
    words: dict[str, set[str]] = {
        "allowed": set(),
        "denied": {denial.name for denial in Denial},
        "refused": set(),
    }
    for reason, statuses in TABLE.items():
        for status in statuses:
            if status.denial is not None:
                words["denied"].add(reason.name)
            elif status.grpc is StatusCode.OK:
                words["allowed"].add(reason.name)
            else:
                words["refused"] |= {status.grpc.name, reason.name}
    return {first: frozenset(more) for first, more in words.items()}


VERDICTS: Final = _verdict_words()


def read_verdict(node: Node) -> Wanted:
    """`allowed`, `denied` or `refused`, with the words that say why."""
    written = text(node, "a wanted answer")
    first, *more = written.split()
    if first not in VERDICTS:
        choice = "`allowed`, `denied` or `refused`"
        problem = f"`{first}` is no answer: write {choice}, and a reason if it matters"
        raise FileError(problem, node.place)
    for word in more:
        if word not in VERDICTS[first]:
            hint = meant(word, VERDICTS[first])
            raise FileError(f"`{word}` is no reason of `{first}`{hint}", node.place)
    return Verdict(written, (first, *more))


def read_levels(node: Node) -> Wanted:
    """`view read=group create<=my`, or `nothing`."""
    written = text(node, "wanted permissions")
    if written.split()[0] in {"denied", "refused"}:
        return read_verdict(node)
    view: bool | None = None
    levels: list[tuple[str, str, str]] = []
    for word in filter(None, SEPARATORS.split(written)):
        match word.lower():
            case "view" | "no-view":
                view = word.lower() == "view"
            case "nothing":
                view = False
                levels += [(each, "=", "none") for each in OPERATIONS]
            case lower:
                levels.append(_read_level(lower, node.place))
    return Levels(written, view, tuple(levels))


def read_formula(node: Node) -> Wanted:
    """`everything`, `nothing` or a condition as `ask get-list-filter` prints it."""
    written = text(node, "a wanted filter")
    if written.split()[0] in {"denied", "refused"}:
        return read_verdict(node)
    return Formula(written)


def read_context(node: Node) -> Wanted:
    """Fields of the tenant context, or the denial."""
    if isinstance(node, Scalar):
        return _read_denial(node)
    part = _read_part(node, caller_pb2.TenantContext())
    return Parts(part_words(part), several=False, parts=(part,))


def read_contexts(node: Node) -> Wanted:
    """Each context that may be chosen, in order, or the denial."""
    if isinstance(node, Scalar):
        return _read_denial(node)
    each = items(node, "wanted contexts")
    parts = tuple(_read_part(one, caller_pb2.AvailableContext()) for one in each)
    words = "; ".join(map(part_words, parts)) or "none"
    return Parts(words, several=True, parts=parts)


def read_rule_verdict(node: Node, index: int) -> Wanted:
    """`valid`, or `invalid` with fields and faults."""
    written = text(node, "a wanted answer")
    first, *more = filter(None, SEPARATORS.split(written))
    known = {*_RULE_FIELDS, *(fault.name for fault in RuleFault)}
    if first not in {"valid", "invalid"} or (first == "valid" and more):
        problem = f"`{written}` is neither `valid` nor `invalid` with what is wrong"
        raise FileError(problem, node.place)
    for word in more:
        if word not in known:
            problem = f"`{word}` is no field or fault of a rule{meant(word, known)}"
            raise FileError(problem, node.place)
    return RuleVerdict(written, index, (first, *more))


def _read_denial(node: Node) -> Wanted:
    wanted = read_verdict(node)
    if wanted.words.startswith("allowed"):
        problem = "a context is not allowed: say its fields, or `denied`"
        raise FileError(problem, node.place)
    return wanted


def _read_level(word: str, place: Place) -> tuple[str, str, str]:
    match = _LEVEL.fullmatch(word)
    if match is None or match["operation"] not in OPERATIONS:
        form = "`view`, `no-view`, `nothing`, `read=group`, `update>=my`, `delete<=my`"
        raise FileError(f"`{word}` is no permission: write {form}", place)
    level = _LETTERS.get(match["level"], match["level"])
    if level not in LEVELS:
        problem = f"`{match['level']}` is no level: {', '.join(LEVELS)}"
        raise FileError(problem, place)
    return match["operation"], match["sign"], level


def _read_part(node: Node, message: Message) -> Mapping[str, Part]:
    known = message.DESCRIPTOR.fields_by_name
    found = fields(node, list(known), "a context")
    return {name: _read_value(value, known[name]) for name, value in found.items()}


def _read_value(node: Node, field: Field) -> Part:
    match node:
        case Listing(items=elements) if field.is_repeated:
            return frozenset(text(each, f"`{field.name}`") for each in elements)
        case Entries() | Listing():
            raise FileError(f"`{field.name}` is a single value", node.place)
        case Scalar() if field.is_repeated:
            raise FileError(f"`{field.name}` must be a list", node.place)
        case Scalar(text=None):
            return None
        case Scalar(text=written):
            return _read_word(str(written), node.place, field)


def _read_word(written: str, place: Place, field: Field) -> str:
    if field.enum_type is not None:
        known = list(bare_names(field.enum_type))
    elif field.cpp_type == field.CPPTYPE_BOOL:
        known = ["true", "false"]
    else:
        return written
    for word in known:
        if word.lower() == written.lower():
            return word
    raise FileError(f"`{field.name}` must be one of {', '.join(known)}", place)
