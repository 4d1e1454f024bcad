"""A wall clock for one process, which can be moved while the process runs."""

import os
import subprocess
from pathlib import Path

_SOURCE = Path(__file__).parent / "shift.c"


class WallClock:
    """Moves the wall clock of whoever is started with `environment`.

    Needs a C compiler. No other clock is touched.
    """

    def __init__(self, folder: Path) -> None:
        library = folder / "shift.so"
        subprocess.run(  # noqa: S603 - our own source
            ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(_SOURCE)],  # noqa: S607
            check=True,
        )
        self._file = folder / "shift"
        self.jump(0)
        self.environment = {"LD_PRELOAD": str(library), "SHIFT_FILE": str(self._file)}

    def jump(self, seconds: int) -> None:
        """From now on the clock is that far ahead; negative: behind."""
        # In place: the process has the file in its memory.
        file = os.open(self._file, os.O_CREAT | os.O_WRONLY)
        os.pwrite(file, seconds.to_bytes(8, "little", signed=True), 0)
        os.close(file)
