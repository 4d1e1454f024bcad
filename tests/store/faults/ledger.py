"""What was written and what was answered, and which answers the commits forbid.

A register is what one principal is granted: one cluster, whose id is never used
twice and grows with each write, under the lock of its row. So every answer names the
write that it shows.
"""

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, unique
from math import inf
from typing import Final

from sidecar.store.revisions import Form, Revision

# Acknowledgements of one register overtake each other by at most the writers.
_OVERTAKE: Final = 8


@dataclass(eq=False)
class Write:
    """One transaction: what it sets, its revision, and how far it came.

    `is_ending`: from here on it may be committed, whatever the writer is told.
    `acknowledged_at`, `lost_at`: times of the clock; a failover loses commits.
    """

    values: dict[int, int]
    revision: str = ""
    is_ending: bool = False
    acknowledged_at: float = inf
    lost_at: float = inf
    position: Revision | None = None

    def name(self, revision: str) -> None:
        """Takes down the revision that the transaction was given."""
        self.revision = revision
        self.position = Revision.parse(revision)


@unique
class Source(Enum):
    """Where an answer is from: read before the question, for it, or all at once."""

    MEMORY = "memory"
    DATABASE = "the database"
    SNAPSHOT = "a snapshot"


@dataclass(frozen=True)
class Question:
    """One question: when it was put, and with which revision of whom."""

    kind: str
    asked: float
    revision: str = ""
    write: Write | None = None
    is_whole: bool = False

    @property
    def position(self) -> Revision | None:
        """The revision, read."""
        return Revision.parse(self.revision) if self.revision else None


@dataclass
class Ledger:
    """All writes so far, and the answers that they do not allow.

    `max_staleness`: of answers from memory, in seconds. `history`: the one that new
    writes belong to. While nobody is told of writes, `blind_since` is the time from
    which on that may have been so.
    """

    max_staleness: float
    history: str = ""
    writes: dict[int, Write] = field(default_factory=dict)
    recent: deque[Write] = field(default_factory=lambda: deque(maxlen=64))
    answers: deque[str] = field(default_factory=lambda: deque(maxlen=64))
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    answered: int = 0
    rounds: int = 0
    stalest: float = 0.0
    blind_since: float = inf
    value: int = 1000
    _times: dict[int, list[float]] = field(default_factory=dict)
    _writes: dict[int, list[Write]] = field(default_factory=dict)

    def new_value(self, write: Write) -> int:
        """A value that no write had before."""
        self.value += 1
        self.writes[self.value] = write
        return self.value

    def acknowledge(self, write: Write, now: float) -> None:
        """The database said that a transaction was committed."""
        write.acknowledged_at = now
        for register in write.values:
            self._times.setdefault(register, []).append(now)
            self._writes.setdefault(register, []).append(write)

    def lose(self, survivors: Mapping[int, int], killed_at: float) -> int:
        """A failover happened: what is above the survivors is gone, from any view.

        Gives how many of the lost had been acknowledged.
        """
        lost = {
            write
            for value, write in self.writes.items()
            if write.lost_at == inf
            and any(survivors[each] < of for each, of in write.values.items())
        }
        for write in lost:
            write.lost_at = killed_at
        return sum(write.acknowledged_at < inf for write in lost)

    def judge(
        self, question: Question, found: Mapping[int, int], source: Source
    ) -> None:
        """Takes down an answer that is too old, or shows what is not there."""
        # Memory may come to life between a question and its answer.
        is_memory = source is not Source.SNAPSHOT
        self.counts[f"{question.kind}, from {source.value}"] += 1
        self.answered += 1
        for register, value in found.items():
            floor = self._floor(question, register, is_memory=is_memory)
            if value < floor:
                self._forbid(question, f"{register} is {value}, not yet {floor}")
            if source is Source.MEMORY and self.blind_since == inf:
                self._age(question, register, value)
            self._judge_write(question, value, is_memory=is_memory)
        self._judge_token(question, is_memory=is_memory)
        if len(found) > 1:
            self._judge_pair(question, found)

    def refuse(self, question: Question, began_in: str) -> None:
        """The revision was said to be unknown, while `began_in` was the history."""
        position = question.position
        if position is not None and position.history == began_in == self.history:
            self._forbid(question, f"{question.revision} is unknown")

    def _forbid(self, question: Question, what: str) -> None:
        self.wrong.append(f"{question.kind}, after {self.answered}: {what}")

    def _floor(self, question: Question, register: int, *, is_memory: bool) -> int:
        """The oldest value of a register that an answer may show."""
        asked = question.asked
        if not is_memory:
            return self._newest(register, asked)
        until = min(asked, self.blind_since)
        bound = self._newest(register, min(until, asked - self.max_staleness))
        write, position = question.write, question.position
        if write is not None:
            is_due = write.acknowledged_at <= until and write.lost_at == inf
            return max(bound, write.values.get(register, 0) if is_due else 0)
        if position is None or position.form is not Form.EVERYTHING_BELOW:
            return bound
        return max(bound, self._newest(register, until, _below(position)))

    def _newest(
        self, register: int, until: float, fits: Callable[[Write], bool] = bool
    ) -> int:
        """The newest value that was acknowledged by then, among writes that fit."""
        writes = self._writes.get(register, [])
        last = bisect_right(self._times.get(register, []), until)
        values: list[int] = []
        for write in reversed(writes[max(last - 200, 0) : last]):
            if write.lost_at == inf and fits(write):
                values.append(write.values[register])
                if len(values) == _OVERTAKE:
                    break
        return max(values, default=0)

    def _age(self, question: Question, register: int, value: int) -> None:
        newer = question.asked
        for write in reversed(self._writes.get(register, [])):
            if write.values[register] <= value:
                break
            if write.lost_at == inf:
                newer = min(newer, write.acknowledged_at)
        self.stalest = max(self.stalest, question.asked - newer)

    def _judge_write(self, question: Question, value: int, *, is_memory: bool) -> None:
        write = self.writes.get(value)
        if write is None:
            return
        if not write.is_ending:
            self._forbid(question, f"{value} was never committed")
        if self._is_gone(write, question.asked, is_memory=is_memory):
            self._forbid(question, f"{value} was lost in a failover")
        ours, wanted = write.position, question.position
        if write.lost_at < inf and ours and wanted and ours.history != wanted.history:
            self._forbid(question, f"{value} is of another history")

    def _judge_token(self, question: Question, *, is_memory: bool) -> None:
        write = question.write
        if write and self._is_gone(write, question.asked, is_memory=is_memory):
            self._forbid(question, f"{question.revision} was lost in a failover")

    def _is_gone(self, write: Write, asked: float, *, is_memory: bool) -> bool:
        # What is in memory was so when it was read, and serves for the bound.
        return asked > write.lost_at + (self.max_staleness if is_memory else 0)

    def _judge_pair(self, question: Question, found: Mapping[int, int]) -> None:
        """Two values of one snapshot never show half a transaction."""
        for write in self.recent:
            is_there = write.acknowledged_at < inf and write.lost_at == inf
            if is_there and found.keys() <= write.values.keys():
                shows = {found[each] >= write.values[each] for each in found}
                if len(shows) > 1:
                    self._forbid(question, f"half of {write.revision}")


def _below(position: Revision) -> Callable[[Write], bool]:
    def fits(write: Write) -> bool:
        ours = write.position
        return (
            ours is not None
            and ours.history == position.history
            and ours.number < position.number
        )

    return fits
