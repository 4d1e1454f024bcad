"""Beats: small messages whose time of sending only their sender knows."""

from secrets import token_hex

from sidecar.ports import Clock


class Beats:
    """The beats that were sent and have not come back.

    Those of others say nothing here: when they were sent is not known on this
    machine's clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._nonce = token_hex(16)
        self._count = 0
        self._sent: dict[str, float] = {}

    def next(self) -> str:
        """A new beat, which counts as sent now."""
        self._count += 1
        beat = f"{self._nonce} {self._count}"
        self._sent[beat] = self._clock.monotonic()
        return beat

    def withdraw(self, beat: str) -> None:
        """It could not be sent."""
        self._sent.pop(beat, None)

    def heard(self, beat: str) -> float | None:
        """When a beat was sent, on the clock; none when it is not one of these."""
        sent = self._sent.get(beat)
        if sent is not None:
            # Earlier ones travelled the same way, so they will not come any more.
            self._sent = {each: at for each, at in self._sent.items() if at > sent}
        return sent

    def oldest_age(self) -> float:
        """Seconds for which the oldest has been under way, zero without any."""
        if not self._sent:
            return 0.0
        return self._clock.monotonic() - min(self._sent.values())

    def forget(self) -> None:
        """None of those that were sent counts any more."""
        self._sent.clear()
