"""Since when nothing has been missed: proofs that notifications give.

A question to the database at a time of this clock says which transactions had ended
then. A notification of one that had not ended ended later; and since notifications
arrive in the order in which transactions end, everything that had ended when the
question was put has been heard.
"""

from dataclasses import dataclass
from secrets import token_hex

from sidecar.ports import Clock
from sidecar.store.heard import Snapshot


@dataclass(frozen=True, slots=True)
class Question:
    """When it was put, on the clock, and what had ended then or a little later."""

    asked: float
    snapshot: Snapshot


class Beats:
    """The last question, and the beats that this sidecar sent itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._nonce = token_hex(16)
        self._count = 0
        self._sent: dict[str, float] = {}
        self._question: Question | None = None

    def next(self) -> str:
        """The nonce of a new beat, which counts as sent now."""
        self._count += 1
        nonce = f"{self._nonce}{self._count}"
        self._sent[nonce] = self._clock.monotonic()
        return nonce

    def asked(self, question: Question) -> None:
        """A question was answered; it takes the place of the one before."""
        self._question = question

    def proven(self, xid: int) -> Question | None:
        """The question that a transaction's notification answers; once only."""
        question = self._question
        # It may have had its number for long: that it ended later is what counts.
        if question is None or question.snapshot.sees(xid):
            return None
        self._question = None
        return question

    def came_back(self, nonce: str) -> float | None:
        """When a beat was sent, on the clock; none when it is not one of these."""
        sent = self._sent.get(nonce)
        if sent is not None:
            # Earlier ones travelled the same way, so they will not come any more.
            self._sent = {each: at for each, at in self._sent.items() if at > sent}
        return sent

    def forget(self) -> None:
        """Nothing that was asked or sent counts any more."""
        self._sent.clear()
        self._question = None
