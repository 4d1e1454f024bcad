"""The settings as a server would take them, and what is wrong with them, in place.

They are read, and turned into listeners and kinds, by the server's own code. What is
added is where each value comes from, so that whoever is to mend it finds it.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from sidecar import wiring, wiring_edge, wiring_listeners
from sidecar.edge.compiling import RoutesError
from sidecar.settings import Settings, SettingsError, load
from sidecar.store.anomalies import Anomaly
from sidecar.store.clock import SystemClock
from sidecar.store.errors import StoreError
from sidecar.store.source import Store
from sidecar.tools.checking_sources import (
    Location,
    Setting,
    Source,
    Sources,
    known_names,
    path_of,
    settings_of,
)
from sidecar.tools.policy_yaml import FileError, Node, meant, read_tree
from sidecar.transport.certificates import CertificateError
from sidecar.transport.listener import ListenerError
from sidecar.transport.tls import look_at

_NOWHERE: Final = Source()


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """What is wrong with a setting; the path is empty when it is no single one's."""

    path: str
    message: str
    source: Source = _NOWHERE


@dataclass(frozen=True, slots=True)
class CheckedConfig:
    """What was found. With problems a server does not start; warnings let it.

    `settings` is none when they could not be read.
    """

    settings: Settings | None
    effective: Sequence[Setting] = ()
    problems: Sequence[SettingProblem] = ()
    warnings: Sequence[SettingProblem] = ()


def check_config(path: Path | None) -> CheckedConfig:
    """Reads the settings, and what they name, as the start of a server does."""
    variables = {name.upper(): text for name, text in os.environ.items()}
    try:
        sources = Sources(_tree(path), variables)
    except FileError as error:
        return _unreadable("", error.problem, Source(place=error.place))
    try:
        settings = load(path)
    except SettingsError as error:
        return CheckedConfig(None, problems=tuple(_refused(error, sources)))
    problems, warnings = _wiring_problems(settings, sources)
    effective = tuple(settings_of(settings, sources))
    return CheckedConfig(settings, effective, tuple(problems), tuple(warnings))


async def check_database(settings: Settings) -> CheckedConfig:
    """Connects as the start of a server does, and closes again."""
    try:
        store = await Store.start(
            wiring.store_settings(settings), SystemClock(), _ignore
        )
    except StoreError as error:
        message = f"does not serve: {error}"
        return _unreadable("database.url", message, _NOWHERE)
    try:
        unwatched = sorted(store.feed_health().unwatched)
    finally:
        await store.close()
    message = "has no change triggers, so every question reads the database"
    warnings = [SettingProblem(name, message) for name in unwatched]
    return CheckedConfig(settings, warnings=warnings)


def _tree(path: Path | None) -> Node | None:
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        # The server's own words for it are those of `load`.
        return None
    # A file with nothing but remarks is one without settings.
    return read_tree(text) if _says_something(text) else None


def _says_something(text: str) -> bool:
    lines = (line.strip() for line in text.splitlines())
    return any(line and not line.startswith("#") for line in lines)


def _unreadable(path: str, message: str, source: Source) -> CheckedConfig:
    return CheckedConfig(None, problems=(SettingProblem(path, message, source),))


def _refused(error: SettingsError, sources: Sources) -> Iterator[SettingProblem]:
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        yield SettingProblem("", str(error) + _variable_meant(str(error)))
        return
    found = cause.errors(include_input=False, include_url=False)
    locations = [each["loc"] for each in found]
    for each in found:
        location = each["loc"]
        if _is_consequence(location, locations):
            continue
        path = path_of(location)
        if each["type"] == "extra_forbidden":
            hint = meant(str(location[-1]), known_names(location[:-1]))
            source = sources.key(location)
            yield SettingProblem(path, f"is no known setting{hint}", source)
        else:
            message = each["msg"].removeprefix("Value error, ")
            words = f"is refused: {message[:1].lower()}{message[1:]}"
            yield SettingProblem(path, words, sources.nearest(location))


def _is_consequence(location: Location, all_of_them: Sequence[Location]) -> bool:
    # A list whose element is refused is then too short, say.
    size = len(location)
    return any(len(o) > size and o[:size] == location for o in all_of_them)


def _variable_meant(message: str) -> str:
    # The name stands in backticks, as user input does everywhere.
    _, _, rest = message.partition("`AUTHZ_")
    name, closing, _ = rest.partition("`")
    if not closing:
        return ""
    first, separator, more = name.partition("__")
    known = [each.upper() for each in known_names(())]
    hint = meant(first, known)
    return hint.replace("`?", f"{separator}{more}`?").replace("`", "`AUTHZ_", 1)


def _wiring_problems(
    settings: Settings, sources: Sources
) -> tuple[list[SettingProblem], list[SettingProblem]]:
    wiring.policy_of(settings)
    problems, warnings = _listener_problems(settings, sources)
    problems += _routes_problems(settings, sources)
    if settings.database.pool_min > settings.database.pool_max:
        source = sources.nearest(("database", "pool_min"))
        message = "is more than `database.pool_max`"
        problems.append(SettingProblem("database.pool_min", message, source))
    return problems, warnings


def _listener_problems(
    settings: Settings, sources: Sources
) -> tuple[list[SettingProblem], list[SettingProblem]]:
    problems: list[SettingProblem] = []
    warnings: list[SettingProblem] = []
    seen: dict[str, int] = {}
    for index, listener in enumerate(settings.listeners):
        at: Location = ("listeners", index)
        source = sources.nearest((*at, "address"))
        earlier = seen.setdefault(listener.address, index)
        if earlier != index and not listener.address.endswith(":0"):
            message = f"is the address of `listeners[{earlier}]` already"
            problems.append(SettingProblem(path_of((*at, "address")), message, source))
        try:
            made = wiring_listeners.listener_of(listener, settings)
            told = [] if made.tls is None else look_at(made.tls, SystemClock().wall())
        except (ListenerError, CertificateError) as error:
            problems.append(SettingProblem(path_of(at), str(error), source))
            continue
        tls = sources.nearest((*at, "tls"))
        warnings += [SettingProblem(path_of((*at, "tls")), each, tls) for each in told]
    return problems, warnings


def _routes_problems(settings: Settings, sources: Sources) -> list[SettingProblem]:
    try:
        wiring_edge.routes_of(settings)
    except RoutesError as error:
        source = sources.nearest(("edge", "routes_file"))
        return [
            SettingProblem("edge.routes_file", each, source) for each in error.problems
        ]
    return []


def _ignore(anomaly: Anomaly) -> None:
    del anomaly
