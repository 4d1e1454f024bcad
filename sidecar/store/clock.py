"""The clocks of the machine."""

import time

from typing_extensions import override

from sidecar.ports import Clock

# Where a machine has no such clock, its monotonic one runs through suspend.
_THROUGH_SUSPEND = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock(Clock):
    """Tells the time of the machine."""

    @override
    def monotonic(self) -> float:
        return time.clock_gettime(_THROUGH_SUSPEND)

    @override
    def wall(self) -> float:
        return time.clock_gettime(time.CLOCK_REALTIME)
