"""Serves a world for a client's own tests, until its standard input ends.

    python clients/conformance/serve.py --world FILE [--engine native|grpcio] [--tls]
    python clients/conformance/serve.py --example

Prints one line of JSON once it answers: `{"unix": …, "tcp": …, "tls": null}`, where
with `--tls` the last is `{"address": …, "ca": …, "cert": …, "key": …}`. It is one
process, so that stopping it (SIGSTOP) stops the sidecar.
"""

import argparse
import asyncio
import signal
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "clients" / "python")]

from clients.conformance.sidecars import (  # noqa: E402  after the path
    World,
    served,
    short_folder,
)
from sidecar.store.embedded import EmbeddedPostgres  # noqa: E402


def main() -> int:
    """Serves, and ends in good order; SIGTERM and SIGINT end it too."""
    arguments = _arguments()
    is_example = arguments.world is None
    world = World.example() if is_example else World.read(arguments.world)
    with (
        short_folder() as folder,
        EmbeddedPostgres(folder / "data", durable=False) as postgres,
    ):
        asyncio.run(_serve(arguments, world, postgres, folder))
    return 0


async def _serve(
    arguments: argparse.Namespace,
    world: World,
    postgres: EmbeddedPostgres,
    folder: Path,
) -> None:
    loop = asyncio.get_running_loop()
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    threading.Thread(target=_read_to_end, args=(loop, ending), daemon=True).start()
    place = folder / "serving"
    place.mkdir()
    async with served(
        world, postgres, place, arguments.engine, tls=arguments.tls
    ) as addresses:
        print(addresses.told(), flush=True)
        await ending.wait()


def _read_to_end(loop: asyncio.AbstractEventLoop, ending: asyncio.Event) -> None:
    # A pipe that nobody writes to is at its end when the other side is gone.
    while sys.stdin.buffer.read(4096):
        pass
    loop.call_soon_threadsafe(ending.set)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    worlds = parser.add_mutually_exclusive_group(required=True)
    worlds.add_argument("--world", type=Path, help="a file of worlds/")
    worlds.add_argument("--example", action="store_true", help="that of `make run`")
    parser.add_argument("--engine", choices=("native", "grpcio"), default="native")
    parser.add_argument("--tls", action="store_true", help="listen with mTLS too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
