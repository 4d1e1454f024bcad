"""What the client's page shows runs as it is written."""

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Final

from tests.support.serving import Place, Schema, Stage

README: Final = Path("clients/python/README.md").read_text(encoding="utf-8")
BLOCKS: Final = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
PACKAGE: Final = str(Path("clients/python").resolve())


async def test_the_examples_run(stage: Stage) -> None:
    """Each program of the page ends well, and prints decisions."""
    listener = {
        "address": f"unix:{stage.folder}/authz.sock",
        "services": ["api", "watch"],
    }
    url = await stage.stored(Place(Schema.REFERENCE, "tenancy"))
    await stage.start(url, listeners=[listener])
    printed = [await _output(block, stage.folder) for block in BLOCKS]

    assert 2 == len(printed)
    assert "False RESOURCE_NOT_FOUND" in printed[0]
    assert "404" in printed[0]
    assert printed[1].startswith("False ")


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
