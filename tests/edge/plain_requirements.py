"""Requirements of a route a second time: from its file to the API's messages."""

import re
from collections.abc import Mapping

from tests.edge.plain_routes import filled, texts
from tests.spec.world import Row, part

_ID_BYTES = 256
_ITEM_BYTES = 512


class UnusableError(Exception):
    """A value is missing, or cannot be what it must be."""


def requirement(wanted: Row, path: Mapping[str, str], ext: Mapping[str, str]) -> Row:
    """A `Requirement` message; raises UnusableError."""
    ((kind, _),) = wanted.items()
    inner = part(wanted, kind)
    match kind:
        case "visible":
            return {"visible": _row(inner, path, ext)}
        case "writable":
            return {"writable": {"resource": _row(inner, path, ext)}}
        case "permission":
            return {"permission": _permission(inner, path, ext)}
        case "role" if "any_of" in inner:
            roles = [role.upper() for role in texts(inner["any_of"])]
            return {"role": {"any_of_org_roles": {"roles": roles}}}
        case _:
            return {kind: inner}


def _row(inner: Row, path: Mapping[str, str], ext: Mapping[str, str]) -> Row:
    return {"kind": inner["kind"], "id": _id(str(inner["id"]), path, ext)}


def _id(text: str, path: Mapping[str, str], ext: Mapping[str, str]) -> str:
    found = filled(text, path, ext)
    if found is None or len(found.encode()) > _ID_BYTES:
        raise UnusableError
    return found


def _permission(inner: Row, path: Mapping[str, str], ext: Mapping[str, str]) -> Row:
    query: Row = {"context": inner["context"]}
    if "item" in inner:
        query["item"] = _item(str(inner["item"]), path, ext)
    if "feature_instance" in inner:
        instance = str(inner["feature_instance"])
        query["feature_instance_id"] = _id(instance, path, ext)
    permission: Row = {
        "query": query,
        "operation": str(inner.get("operation", "view")).upper(),
    }
    if "at_least" in inner:
        permission["least_level"] = str(inner["at_least"]).upper()
    return permission


def _item(text: str, path: Mapping[str, str], ext: Mapping[str, str]) -> str:
    words = []
    for piece in re.findall(r"\{[^}]*\}|[^.{}]+", text):
        word = filled(piece, path, ext)
        is_plain = word is not None and re.fullmatch(r"[A-Za-z0-9_-]+", word)
        if word is None or (piece.startswith("{") and not is_plain):
            raise UnusableError
        words.append(word)
    item = ".".join(words)
    if len(item) > _ITEM_BYTES:
        raise UnusableError
    return item
