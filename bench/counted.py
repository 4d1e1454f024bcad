"""Makes each call of the gate so often, and marks where one ends and the next begins.

Run by `bench/gate.py` under a tool that counts instructions; useful to nobody else.
"""

import asyncio
import gc
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "clients" / "python")]

from bench.parts.inside import warm_calls  # noqa: E402  after the path


async def main(routes: Path, often: int) -> None:
    """Prints the names of the calls, in their order."""
    calls = await warm_calls(routes)
    gc.collect()
    gc.freeze()
    gc.disable()
    os.getpgid(0)
    for call in calls:
        for _ in range(often):
            call.run()
        # The tool is told to write down and forget what it counted at each of these.
        os.getpgid(0)
    print("\n".join(call.name for call in calls))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
