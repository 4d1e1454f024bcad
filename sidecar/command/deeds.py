"""What was changed in the directory, and what was found there: text and JSON."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from sidecar.command.bare_json import Json
from sidecar.command.words import plain

if TYPE_CHECKING:
    # They are read here, not made: the driver need not be there for it.
    from collections.abc import Mapping

    from sidecar.store.steward.deeds import Cell, Change, Listing, Row
    from sidecar.store.steward.turn import Outcome


def outcome_page(outcome: "Outcome") -> list[Text]:
    """What changed, before and after, and from which revision it holds."""
    lines = [Text("dry run: nothing is stored", "yellow")] * outcome.is_rehearsal
    for change in outcome.deed.changes:
        lines += _change_lines(change)
    if not outcome.deed.changes:
        lines.append(Text("nothing changed"))
    if outcome.revision is not None:
        lines.append(plain(f"holds from revision {outcome.revision}", "dim"))
    return lines


def notes_page(outcome: "Outcome") -> list[Text]:
    """What one should know besides."""
    return [plain(f"note: {note}") for note in outcome.deed.notes]


def outcome_json(outcome: "Outcome") -> dict[str, Json]:
    """The same for programs. What is null is left out."""
    document: dict[str, Json] = {
        "dry_run": outcome.is_rehearsal,
        "changes": [_change_json(change) for change in outcome.deed.changes],
        "notes": list[Json](outcome.deed.notes),
    }
    if outcome.revision is not None:
        document["revision"] = outcome.revision
    return document


def listing_page(listing: "Listing") -> list[Table | Text]:
    """The rows as a table."""
    if not listing.rows:
        return [Text("none")]
    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in listing.columns:
        table.add_column(column, overflow="fold")
    for row in listing.rows:
        table.add_row(*(plain("-" if cell is None else _word(cell)) for cell in row))
    return [table]


def listing_json(listing: "Listing") -> dict[str, Json]:
    """The rows for programs. What is null is left out."""
    rows: list[Json] = [
        _row_json(dict(zip(listing.columns, row, strict=True))) for row in listing.rows
    ]
    return {"rows": rows, "is_cut": listing.is_cut}


def _change_lines(change: "Change") -> list[Text]:
    before, after = change.before, change.after
    verb = "made" if before is None else "removed" if after is None else "changed"
    lines = [plain(f"{verb} {change.subject}", "bold")]
    differing = _differing(before or {}, after or {})
    width = max(map(len, differing), default=0)
    for name, (old, new) in differing.items():
        lines.append(plain(f"  {name:<{width}}  {_word(old)} → {_word(new)}"))
    return lines


def _differing(before: "Row", after: "Row") -> "Mapping[str, tuple[Cell, Cell]]":
    return {
        name: (before.get(name), after.get(name))
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    }


def _change_json(change: "Change") -> Json:
    document: dict[str, Json] = {
        "relation": change.relation,
        "subject": change.subject,
    }
    if change.before is not None:
        document["before"] = _row_json(change.before)
    if change.after is not None:
        document["after"] = _row_json(change.after)
    return document


def _row_json(row: "Row") -> Json:
    return {name: _json(cell) for name, cell in row.items() if cell is not None}


def _json(cell: "bool | str | datetime") -> Json:
    return _time(cell) if isinstance(cell, datetime) else cell


def _word(cell: "Cell") -> str:
    match cell:
        case None:
            return "none"
        case bool():
            return "yes" if cell else "no"
        case datetime():
            return _time(cell)
        case _:
            return cell


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
