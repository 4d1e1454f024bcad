"""The sidecar as a process of its own."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping

READY_SECONDS = 30


class Process:
    """`authz-sidecar serve` as an operator runs it."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        url: str,
        address: str,
        engine: str,
        extra: Mapping[str, str],
    ) -> None:
        self.process = process
        self.extra = extra
        self.url = url
        self.address = address
        self.engine = engine

    @classmethod
    async def start(
        cls,
        url: str,
        address: str,
        engine: str,
        linger_seconds: float = 0.5,
        extra: Mapping[str, str] | None = None,
    ) -> "Process":
        """Starts it, and waits until it says that it is ready.

        `extra`: more of its environment.
        """
        listeners = [{"address": address, "engine": engine}]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sidecar", "serve"),
            env={
                **os.environ,
                "AUTHZ_DATABASE__URL": url,
                "AUTHZ_LISTENERS": json.dumps(listeners),
                "AUTHZ_METRICS": json.dumps({"address": None}),
                "AUTHZ_STOP": json.dumps({"linger_seconds": linger_seconds}),
                **(extra or {}),
            },
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        async with asyncio.timeout(READY_SECONDS):
            while (line := await process.stderr.readline()).strip() != b"ready":
                assert line, "it ended before it was ready"
        return cls(process, url, address, engine, extra or {})

    async def again(self) -> "Process":
        """Starts another in its place, once it has ended."""
        await self.process.communicate()
        return await self.start(self.url, self.address, self.engine, extra=self.extra)

    async def end(self) -> None:
        """Kills it, if it runs."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.communicate()
