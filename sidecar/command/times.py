"""Spans and moments as they are written on the command line.

    span     90s   15m   12h   90d   4w
    moment   2027-01-31   2027-01-31T12:00   2027-01-31T12:00+02:00

A moment without a zone is one of UTC, a day the start of it.
"""

import re
from datetime import UTC, datetime, timedelta

from sidecar.command.problems import OptionError

_SPAN = re.compile(r"([1-9][0-9]{0,8})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=36_500)


def read_span(text: str, option: str) -> timedelta:
    """A span of time; raises OptionError that names the option."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise OptionError(f"{option} `{text}` is no span of time, write `12h` or `90d`")
    span = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if span > _LONGEST:
        raise OptionError(f"{option} `{text}` is longer than a hundred years")
    return span


def read_moment(text: str, option: str) -> datetime | timedelta:
    """A span from now, or a moment; raises OptionError that names the option."""
    if _SPAN.fullmatch(text):
        return read_span(text, option)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise OptionError(
            f"{option} `{text}` is neither a span of time nor a date, write `90d` or "
            "`2027-01-31`"
        ) from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
