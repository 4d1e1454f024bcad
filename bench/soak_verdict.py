"""What a sidecar used over time, and whether that grows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import mean, median
from typing import Final

# Memory is flat when it grows by less than this share within ten minutes, over the
# second half; a shorter half than this says nothing.
_GROWTH: Final = 0.01
_PER: Final = 600.0
_SHORTEST_HALF: Final = 300.0
_MOST_POINTS: Final = 200
# What must never be counted, whatever is asked and whatever fails.
_NEVER: Final = frozenset({"INTERNAL", "UNKNOWN", "DATA_LOSS", "open", "malformed: OK"})


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process used at a moment.

    `at` is in seconds since the load began, `resident` and `logged` are in bytes,
    `weight` is that of all that is kept in memory. `outcomes`: how often each way in
    which a call can end was seen by callers so far.
    """

    at: float
    resident: int
    descriptors: int
    threads: int
    weight: float
    running: float
    logged: int
    outcomes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was looked at; `is_well` is none when it cannot be said."""

    what: str
    told: str
    is_well: bool | None


def judge(
    samples: Sequence[Sample], before: Sample, after: Sample, tracebacks: int
) -> list[Finding]:
    """What is to be said of a run.

    Args:
        samples: While there was load, in order of time.
        before: Before there was any.
        after: When it had ended, and all connections should be closed.
        tracebacks: How many the sidecar has logged.
    """
    return [
        _memory(samples),
        _no_more("file descriptors", before.descriptors, after.descriptors),
        _no_more("calls running", int(before.running), int(after.running)),
        _no_more("tracebacks in the log", 0, tracebacks),
        *(
            _no_more(f"ended with `{name}`", 0, count)
            for name, count in sorted(samples[-1].outcomes.items())
            if name in _NEVER
        ),
    ]


def growth(samples: Sequence[Sample]) -> float:
    """By which share resident memory grows within ten minutes.

    The median of the slopes between any two samples, which single peaks do not move.
    """
    step = max(len(samples) // _MOST_POINTS, 1)
    slopes = [
        (two.resident - one.resident) / (two.at - one.at)
        for one, two in combinations(samples[::step], 2)
    ]
    return median(slopes) * _PER / mean(each.resident for each in samples)


def _memory(samples: Sequence[Sample]) -> Finding:
    half = [each for each in samples if each.at >= samples[-1].at / 2]
    if half[-1].at - half[0].at < _SHORTEST_HALF:
        return Finding("memory", "too short a time to say", None)
    found = growth(half)
    told = f"{found:+.2%} within ten minutes, over the second half"
    return Finding("memory", told, found < _GROWTH)


def _no_more(what: str, before: int, after: int) -> Finding:
    return Finding(what, f"{after}, of {before} that may be", after <= before)


def table(samples: Sequence[Sample], findings: Sequence[Finding]) -> str:
    """The run at a few moments, then what is to be said of it."""
    rows = [
        "| minute | memory | descriptors | threads | weight of what is kept | calls |",
        "|---|---|---|---|---|---|",
    ]
    last = len(samples) - 1
    for place in sorted({round(last * tenth / 6) for tenth in range(7)}):
        each = samples[place]
        rows.append(
            f"| {each.at / 60:.1f} | {each.resident / 2**20:.1f} MiB "
            f"| {each.descriptors} | {each.threads} | {each.weight:,.0f} "
            f"| {sum(each.outcomes.values()):,} |"
        )
    ended = ", ".join(
        f"{name} {count:,}"
        for name, count in sorted(
            samples[-1].outcomes.items(), key=lambda item: -item[1]
        )
    )
    rows += [
        "",
        f"How they ended: {ended}.",
        "",
        "| looked at | found | |",
        "|---|---|---|",
    ]
    words = {True: "well", False: "NOT WELL", None: "not to be said"}
    rows += [
        f"| {each.what} | {each.told} | {words[each.is_well]} |" for each in findings
    ]
    return "\n".join(rows) + "\n"
