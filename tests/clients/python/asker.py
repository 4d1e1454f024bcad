"""A process that asks through a CachedClient without end, and tells what it heard.

`python -m tests.clients.python.asker TARGET` prints `live` when its cache is, asks
until a line comes, and prints one line for each answer: the monotonic times before and
after, the version that was read, and whether it came from memory. The clock is one for
all processes of a machine.
"""

import asyncio
import sys
import time
from typing import Final

from authz.client import (
    Attributes,
    AuthzError,
    CachedClient,
    Caller,
    OwnedBy,
    Resource,
    Retry,
)

BITS: Final = 14
READER: Final = Caller.user("2", organization="20")
_ASKERS: Final = 4
_TORN: Final = -1


def clusters(version: int) -> list[int]:
    """A version as the clusters that are granted: one of two for each bit."""
    return [1000 + 2 * bit + (version >> bit & 1) for bit in range(BITS)]


_DOORS: Final = [
    Resource("worker", "1", Attributes(OwnedBy("21"), cluster=str(1000 + number)))
    for number in range(2 * BITS)
]


def version_of(granted: list[bool]) -> int:
    """The version that the doors tell; -1 when they are not of one version."""
    pairs = [tuple(granted[2 * bit : 2 * bit + 2]) for bit in range(BITS)]
    if not all(sum(pair) == 1 for pair in pairs):
        return _TORN
    return sum(1 << bit for bit, pair in enumerate(pairs) if pair[1])


async def _ask(client: CachedClient, over: asyncio.Event, told: list[str]) -> None:
    seen = ""
    while not over.is_set():
        before = time.monotonic()
        try:
            answer = await client.check_visible(READER, *_DOORS)
        except AuthzError as error:
            told.append(f"{before} {time.monotonic()} {error.code} 0")
        else:
            version = version_of([each.allowed for each in answer])
            again = int(answer.decision_id == seen)
            seen = answer.decision_id
            told.append(f"{before} {time.monotonic()} {version} {again}")
        await asyncio.sleep(0.001)


async def _run(target: str) -> None:
    over, told = asyncio.Event(), list[str]()
    retry = Retry(attempts=1)
    async with CachedClient.connect(target, timeout=0.3, retry=retry) as client:
        while not client.is_live:  # noqa: ASYNC110  a client's state has no event
            await asyncio.sleep(0.002)
        sys.stdout.write("live\n")
        sys.stdout.flush()
        async with asyncio.TaskGroup() as group:
            for _ in range(_ASKERS):
                group.create_task(_ask(client, over, told))
            await asyncio.to_thread(sys.stdin.readline)
            over.set()
    sys.stdout.write("\n".join(told))


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1]))
