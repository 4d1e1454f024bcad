"""What the client's page shows runs as it is written."""

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Final

from clients.conformance.sidecars import World, served, short_folder
from sidecar.store.embedded import EmbeddedPostgres

README: Final = Path("clients/python/README.md").read_text(encoding="utf-8")
BLOCKS: Final = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
PACKAGE: Final = str(Path("clients/python").resolve())


async def test_the_examples_run(postgres: EmbeddedPostgres) -> None:
    """Each program of the page ends well, and prints decisions."""
    with short_folder() as top:
        # Where `make run` has its socket, seen from the top of the repository.
        place = top / ".dev"
        place.mkdir()
        async with served(World.example(), postgres, place):
            printed = [await _output(block, top) for block in BLOCKS]

    assert 2 == len(printed)
    assert re.fullmatch(
        r"True OWNED \S+\nFalse RESOURCE_NOT_FOUND \S+\n404 the resource .+\n",
        printed[0],
    )
    assert printed[1].startswith("True ")


async def _output(program: str, folder: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": PACKAGE},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert 0 == process.returncode
    return output.decode()
