"""Cuts what is too long for a record, denials last, and says what there was."""

from collections.abc import Mapping, Sequence
from typing import Final, cast

from sidecar.audit.record import Json, Record, encoded

# An element of a question and its answer stand at the same place of two lists.
_ELEMENTS: Final = ("resources", "requirements", "queries")
_PARTS: Final = ("caller", "proved", "context", "question", "answer", "edge")
_NOTE_BYTES: Final = 256
# Characters of a text and elements of a list: of every record, then of those that
# still do not fit.
_GENEROUS: Final = (1_024, 1_000)
_TIGHTER: Final = ((256, 16), (64, 2))


def trimmed(record: Record) -> Record:
    """The record without what is longer than anything that can be asked."""
    return _limited(record, *_GENEROUS)


def fitted(record: Record, most_bytes: int) -> Record:
    """The record in so many bytes, of which there must be 4,096 at least.

    `truncated` names what was cut: how much there was, and how much was kept.
    """
    found = _thinned(record, most_bytes)
    for texts, items in _TIGHTER:
        if len(encoded(found)) <= most_bytes:
            return found
        found = _limited(found, texts, items)
    if len(encoded(found)) <= most_bytes:
        return found
    return _emptied(found, most_bytes)


def _thinned(record: Record, most_bytes: int) -> Record:
    """Keeps as many elements as fit, those that were denied before all others."""
    question = record["question"]
    name = _element_name(question)
    if name is None or not isinstance(question, Mapping):
        return record
    elements = cast("list[Json]", question[name])
    answers = cast("list[Json]", record["answer"])
    if len(answers) != len(elements):
        # It was not answered, or denied as a whole.
        answers = []
    denied = {number for number, each in enumerate(answers) if _is_denied(each)}
    without = {**record, "question": {**question, name: []}}
    if answers:
        without["answer"] = []
    room = most_bytes - len(encoded(without)) - _NOTE_BYTES
    kept = _kept(elements, answers, denied, room)
    if len(kept) == len(elements):
        return record
    without["question"] = {**question, name: [elements[number] for number in kept]}
    note: dict[str, Json] = {"of": len(elements), "kept": len(kept)}
    if answers:
        without["answer"] = [answers[number] for number in kept]
        note["denied"] = len(denied)
    return _noted(without, {name: note})


def _kept(
    elements: Sequence[Json], answers: Sequence[Json], denied: set[int], room: int
) -> list[int]:
    """Which elements fit into so many bytes, each with its answer."""
    kept: list[int] = []
    for number in sorted(range(len(elements)), key=lambda each: each not in denied):
        pair = (elements[number], *answers[number : number + 1])
        room -= sum(len(encoded(each)) + 1 for each in pair)
        if room < 0:
            break
        kept.append(number)
    return sorted(kept)


def _element_name(question: Json) -> str | None:
    if not isinstance(question, Mapping):
        return None
    for name in _ELEMENTS:
        if isinstance(question.get(name), list):
            return name
    return None


def _is_denied(answer: Json) -> bool:
    return isinstance(answer, Mapping) and answer.get("allowed") is False


def _limited(record: Record, texts: int, items: int) -> Record:
    notes: dict[str, Json] = {}
    found = {
        part: _cut(value, part, (texts, items), notes) if part in _PARTS else value
        for part, value in record.items()
    }
    return _noted(found, notes) if notes else found


def _cut(value: Json, name: str, most: tuple[int, int], notes: dict[str, Json]) -> Json:
    texts, items = most
    match value:
        case str() if len(value) > texts:
            notes[name] = {"of": len(value), "kept": texts}
            return value[:texts]
        case Mapping():
            return {key: _cut(each, key, most, notes) for key, each in value.items()}
        case list():
            if len(value) > items:
                notes[name] = {"of": len(value), "kept": items}
            return [_cut(each, name, most, notes) for each in value[:items]]
        case _:
            return value


def _emptied(record: Record, most_bytes: int) -> Record:
    """Leaves out whole parts, the largest first, until the rest fits."""
    found = record
    sizes = {part: len(encoded(found.get(part))) for part in _PARTS}
    for part in sorted(_PARTS, key=lambda each: -sizes[each]):
        if len(encoded(found)) <= most_bytes:
            break
        if found.get(part) is not None:
            found = {**found, part: [] if part == "answer" else None}
            found = _noted(found, {part: {"of": sizes[part], "kept": 0}})
    return found


def _noted(record: Record, notes: Mapping[str, Json]) -> Record:
    before = record.get("truncated")
    known = before if isinstance(before, Mapping) else {}
    # What was there at first is what the first cut has seen.
    merged = {
        name: _merged(known.get(name), notes.get(name)) for name in {**known, **notes}
    }
    return {**record, "truncated": merged}


def _merged(first: Json, then: Json) -> Json:
    if not isinstance(first, Mapping) or not isinstance(then, Mapping):
        return first if then is None else then
    return {**first, "kept": then["kept"]}
