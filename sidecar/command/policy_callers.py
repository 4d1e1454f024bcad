"""Who asks the questions of a test file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from authz.v1 import caller_pb2

from sidecar.command.bare_json import BareJsonError, Json, from_bare
from sidecar.command.syntax import OptionSyntaxError, read_subject
from sidecar.command.words import caller_words
from sidecar.tools.policy_yaml import (
    Entries,
    FileError,
    Node,
    Place,
    entries,
    fields,
    meant,
    text,
)

_IDENTITIES: Final = ("user", "subject", "api_key", "access_token")
CALLER_FIELDS: Final = (*_IDENTITIES, "organization", "pinned")
_NAMES: Final = {
    "user": "user_id",
    "organization": "organization_id",
    "pinned": "pinned_principal_id",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller, and how the file calls it."""

    name: str
    message: caller_pb2.Caller


Callers: TypeAlias = Mapping[str, Caller]


def read_callers(node: Node | None) -> Callers:
    """The callers that have a name.

    Raises:
        FileError: one is not of its form; so does `find_caller`.
    """
    if node is None:
        return {}
    return {
        (name := text(key, "a caller's name")): Caller(name, _read_caller(value))
        for key, value in entries(node, "`callers`").entries
    }


def find_caller(callers: Callers, node: Node) -> Caller:
    """A caller by its name, or one that is described in place."""
    if isinstance(node, Entries):
        message = _read_caller(node)
        return Caller(caller_words(message), message)
    name = text(node, "a caller")
    if name not in callers:
        hint = meant(name, callers)
        raise FileError(f"there is no caller `{name}`{hint}", node.place)
    return callers[name]


def _read_caller(node: Node) -> caller_pb2.Caller:
    written = {
        key: text(value, f"`{key}`")
        for key, value in fields(node, CALLER_FIELDS, "a caller").items()
    }
    return _made(written, node.place)


def _made(written: Mapping[str, str], place: Place) -> caller_pb2.Caller:
    given = [name for name in _IDENTITIES if name in written]
    if len(given) != 1:
        choice = ", ".join(f"`{name}`" for name in _IDENTITIES)
        raise FileError(f"a caller has exactly one of {choice}", place)
    made: dict[str, Json] = {
        _NAMES.get(name, name): value for name, value in written.items()
    }
    try:
        if "subject" in written:
            made["subject"] = read_subject(written["subject"])
        return from_bare(made, caller_pb2.Caller)
    except (OptionSyntaxError, BareJsonError) as error:
        raise FileError(str(error), place) from error
