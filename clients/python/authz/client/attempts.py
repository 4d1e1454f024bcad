"""When a call is made again.

Every call of the API only reads, so that a second one does no harm. Only UNAVAILABLE
is tried again: for anything else the same question gets the same answer, or adds to
what is too much already.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from authz.client.errors import AuthzError, DeadlineError, UnavailableError


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and when a call is made again; times in seconds.

    `attempts` counts the first one too. The wait before the n-th repetition is random
    between half and all of `first_wait` doubled n - 1 times, at most `longest_wait`.
    `budget` bounds repetitions while a server is away: each takes one away, each call
    that succeeds gives `earned` back.
    """

    attempts: int = 4
    first_wait: float = 0.02
    longest_wait: float = 0.5
    budget: float = 20
    earned: float = 0.1

    def wait(self, number: int) -> float:
        """How long to wait before the repetition of this number, from 1."""
        most: float = min(self.first_wait * 2 ** min(number - 1, 30), self.longest_wait)
        return most * random.uniform(0.5, 1)  # noqa: S311  spreads load, hides nothing


@dataclass(slots=True)
class Budget:
    """What is left for repetitions, of all calls of one client and all threads."""

    retry: Retry
    left: float = field(init=False)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.left = self.retry.budget

    def earn(self) -> None:
        """A call succeeded."""
        with self._lock:
            self.left = min(self.left + self.retry.earned, self.retry.budget)

    def spend(self) -> bool:
        """Takes one away; says whether there was one."""
        with self._lock:
            if self.left < 1:
                return False
            self.left -= 1
            return True


class Attempts:
    """The attempts of one call until its deadline, by a clock in seconds."""

    def __init__(
        self, budget: Budget, timeout: float, clock: Callable[[], float]
    ) -> None:
        self._budget = budget
        self._clock = clock
        self._deadline = clock() + timeout
        self._number = 0

    def remaining(self) -> float:
        """Seconds for the next attempt.

        Raises:
            DeadlineError: there are none.
        """
        left = self._deadline - self._clock()
        if left <= 0:
            raise DeadlineError("no time is left for the question")
        return left

    def wait_after(self, error: AuthzError) -> float:
        """How long to wait before the next attempt.

        Raises:
            AuthzError: the same error, when there is to be none.
        """
        self._number += 1
        wait = self._budget.retry.wait(self._number)
        if (
            not isinstance(error, UnavailableError)
            or self._number >= self._budget.retry.attempts
            or self._clock() + wait >= self._deadline
            or not self._budget.spend()
        ):
            raise error
        return wait

    def succeed(self) -> None:
        """The call was answered."""
        self._budget.earn()
