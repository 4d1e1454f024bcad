"""Whether what came is what a vector wants."""

from collections.abc import Mapping, Sequence

_EXACT = frozenset({"allowed", "denial", "reason"})


def difference(wanted: object, came: object, path: str = "") -> str | None:
    """Where they differ and how; none where they do not.

    What the wish lacks is not compared, but for the parts of a decision. Lists are
    compared by length and order, and a number is no boolean.
    """
    match wanted:
        case Mapping():
            return _mappings(wanted, came, path)
        case list():
            return _lists(wanted, came, path)
        case _ if type(wanted) is not type(came) or wanted != came:
            return f"{path or 'it'} is {came!r} instead of {wanted!r}"
        case _:
            return None


def _mappings(wanted: Mapping[str, object], came: object, path: str) -> str | None:
    if not isinstance(came, Mapping):
        return f"{path or 'it'} is {came!r} instead of a message"
    keys = set(wanted)
    if "allowed" in keys:
        keys |= _EXACT & set(came)
    for key in sorted(keys):
        here = f"{path}.{key}" if path else key
        found = difference(wanted.get(key), came.get(key), here)
        if found is not None:
            return found
    return None


def _lists(wanted: Sequence[object], came: object, path: str) -> str | None:
    if not isinstance(came, list) or len(came) != len(wanted):
        count = len(came) if isinstance(came, list) else "no"
        return f"{path} has {count} elements instead of {len(wanted)}"
    for index, (one, other) in enumerate(zip(wanted, came, strict=True)):
        found = difference(one, other, f"{path}[{index}]")
        if found is not None:
            return found
    return None
