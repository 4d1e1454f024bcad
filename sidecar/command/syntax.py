r"""How questions are written on the command line: text to bare JSON.

    resource      kind/id   kind/id,owner=5,cluster=7   kind/id,global
    new resource  kind   kind,owner=5   kind,global
    query         DATA   DATA:data.contract   DATA:data.contract@instance-1
    role gate     platform_admin   admin   admin|user
    requirement   visible:<resource>   writable:<resource>[,skip-visible]
                  creatable:<new resource>   role:<role gate>
                  permission:<query>:update>=group   permission:<query>:view
    rule          role/DATA:data.contract,view,read=group,create=my

A backslash takes from the next character its meaning: `model/a\,b`. Enum words may
be written in any case, and levels as in the database: n, m, g, a. Whether a word
is one of its enum is for `from_bare` to say.
"""

import re
from collections.abc import Callable, Sequence

from sidecar.command.bare_json import Json

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LEVELS = {"N": "NONE", "M": "MY", "G": "GROUP", "A": "ALL"}
_OPERATIONS = ("read", "create", "update", "delete")


class OptionSyntaxError(Exception):
    """What was written on the command line is not of the form it must have."""

    def __init__(self, text: str, noun: str, form: str) -> None:
        super().__init__(f"`{text}` is not {noun}, write `{form}`")


def read_resource(text: str) -> dict[str, Json]:
    """`kind/id` with its attributes, as a Resource."""
    head, *parts = _split(text, ",")
    kind, identifier = _pair(head, "/")
    if not kind or not identifier:
        raise OptionSyntaxError(text, "a resource", "kind/id,owner=5,cluster=7")
    resource: dict[str, Json] = {"kind": kind, "id": identifier}
    if parts:
        resource["attributes"] = _read_attributes(text, parts)
    return resource


def read_new_resource(text: str) -> dict[str, Json]:
    """`kind` with the owner that is to be, as a NewResource."""
    head, *parts = _split(text, ",")
    attributes = _read_attributes(text, parts)
    if not head or "cluster_id" in attributes:
        raise OptionSyntaxError(text, "a new resource", "kind,owner=5")
    return {"kind": _plain(head), **attributes}


def read_query(text: str) -> dict[str, Json]:
    """`CONTEXT:item@instance` as a PermissionQuery."""
    named, *instances = _split(text, "@", most=1)
    context, *items = _split(named, ":", most=1)
    if "" in {context, *items, *instances}:
        raise OptionSyntaxError(text, "a query", "DATA:data.contract@instance-1")
    query: dict[str, Json] = {"context": _word(context)}
    if items:
        query["item"] = _plain(items[0])
    if instances:
        query["feature_instance_id"] = _plain(instances[0])
    return query


def read_gate(text: str) -> dict[str, Json]:
    """`platform_admin` or org roles as a RoleGate."""
    words = [_word(word) for word in text.split("|")]
    if "" in words:
        raise OptionSyntaxError(text, "a role gate", "platform_admin` or `admin|user")
    if words == ["PLATFORM_ADMIN"]:
        return {"platform_admin": True}
    return {"any_of_org_roles": {"roles": list[Json](words)}}


def read_requirement(text: str) -> dict[str, Json]:
    """`visible:…` and its like as a Requirement."""
    name, *rest = _split(text, ":", most=1)
    if name not in _REQUIREMENTS or not rest:
        choice = "`, `".join(f"{name}:…" for name in _REQUIREMENTS)
        raise OptionSyntaxError(text, "a requirement", choice)
    return {name: _REQUIREMENTS[name](rest[0])}


def read_rule(text: str) -> dict[str, Json]:
    """`role/CONTEXT:item,…` as an AccessRule."""
    head, *parts = _split(text, ",")
    role, area = _raw_pair(head, "/")
    context, *items = _split(area, ":", most=1)
    if not role or not context:
        raise OptionSyntaxError(text, "a rule", "role/DATA:data.contract,view,read=my")
    rule: dict[str, Json] = {"role_id": _plain(role), "context": _word(context)}
    # An empty item is written as it is: the answer says what is wrong with it.
    if items:
        rule["item"] = _plain(items[0])
    for name, value in _read_parts(text, parts, flags={"view"}, names=_OPERATIONS):
        rule[name] = _level(value) if isinstance(value, str) else value
    return rule


def read_subject(text: str) -> dict[str, Json]:
    """`issuer#subject` as a Subject; the last `#` divides, issuers are URLs."""
    issuer, _, subject = text.rpartition("#")
    if not issuer or not subject:
        raise OptionSyntaxError(text, "a subject", "issuer#subject")
    return {"issuer": issuer, "subject": subject}


def read_consistency(text: str) -> dict[str, Json]:
    """A word, or `at-least:<revision>`, as a Consistency."""
    word, _, revision = text.partition(":")
    match word.replace("-", "_"), revision:
        case ("minimize_latency" | "fully_consistent") as choice, "":
            return {choice: True}
        case "at_least", revision if revision:
            return {"at_least_as_fresh": revision}
    form = "minimize-latency`, `fully-consistent` or `at-least:<revision>"
    raise OptionSyntaxError(text, "a consistency", form)


def read_column(text: str) -> dict[str, Json]:
    """`FIELD=column` as a SqlColumn."""
    field, _, column = text.partition("=")
    if not field or not column:
        raise OptionSyntaxError(text, "a column", "owner_principal_id=m.owner_id")
    return {"field": _word(field), "column": column}


def _read_writable(text: str) -> dict[str, Json]:
    parts = _split(text, ",")
    kept = [part for part in parts if _word(part) != "SKIP_VISIBLE"]
    requirement: dict[str, Json] = {"resource": read_resource(",".join(kept))}
    if kept != parts:
        requirement["skip_visible"] = True
    return requirement


def _read_permission(text: str) -> dict[str, Json]:
    query, _, act = text.rpartition(":")
    if not query:
        form = "permission:DATA:data.contract:update>=group"
        raise OptionSyntaxError(text, "a permission", form)
    operation, _, level = act.partition(">=")
    requirement: dict[str, Json] = {
        "query": read_query(query),
        "operation": _word(operation),
    }
    if level:
        requirement["least_level"] = _level(level)
    return requirement


_REQUIREMENTS: dict[str, Callable[[str], dict[str, Json]]] = {
    "visible": read_resource,
    "writable": _read_writable,
    "creatable": read_new_resource,
    "role": read_gate,
    "permission": _read_permission,
}


def _read_attributes(text: str, parts: Sequence[str]) -> dict[str, Json]:
    columns = {"owner": "owner_principal_id", "cluster": "cluster_id"}
    read = _read_parts(text, parts, flags={"global"}, names=columns)
    return {columns.get(name, name): value for name, value in read}


def _read_parts(
    text: str,
    parts: Sequence[str],
    *,
    flags: set[str],
    names: Sequence[str] | dict[str, str],
) -> list[tuple[str, str | bool]]:
    """The `flag` and `name=value` parts that follow a head, each at most once."""
    read: dict[str, str | bool] = {}
    for part in parts:
        name, *values = _split(part, "=", most=1)
        is_known = name in names if values else name in flags
        if not is_known or name in read or "" in values:
            form = ",".join([*flags, *(f"{name}=…" for name in names)])
            raise OptionSyntaxError(part, f"a part of `{text}`", form)
        read[name] = _plain(values[0]) if values else True
    return list(read.items())


def _split(text: str, separator: str, most: int | None = None) -> list[str]:
    """The parts between separators that are not escaped; parts stay as written."""
    found = re.finditer(rf"\\.|{re.escape(separator)}", text, re.DOTALL)
    cuts = [match.start() for match in found if match[0] == separator][:most]
    starts = [0, *(cut + len(separator) for cut in cuts)]
    ends = [*cuts, len(text)]
    return [text[start:end] for start, end in zip(starts, ends, strict=True)]


def _raw_pair(text: str, separator: str) -> tuple[str, str]:
    first, *rest = _split(text, separator, most=1)
    return first, "".join(rest)


def _pair(text: str, separator: str) -> tuple[str, str]:
    first, second = _raw_pair(text, separator)
    return _plain(first), _plain(second)


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def _word(text: str) -> str:
    return text.strip().upper().replace("-", "_")


def _level(text: str) -> str:
    word = _word(text)
    return _LEVELS.get(word, word)
