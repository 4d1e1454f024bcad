"""Plays a file of vectors through the Python client, waiting or with asyncio.

python clients/conformance/python_runner.py [--asyncio] --address ADDRESS
    [--ca FILE --cert FILE --key FILE] FILE.json
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias, cast

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "clients" / "python")]

from authz.client import (  # noqa: E402  after the path
    Answer,
    AsyncClient,
    AuthzError,
    Client,
    Tls,
)

from clients.conformance.python import asking, telling  # noqa: E402
from clients.conformance.python.comparing import difference  # noqa: E402

# Thousands of questions on a busy machine are no test of deadlines.
SECONDS = 10.0

Told: TypeAlias = dict[str, object]
Ask: TypeAlias = Callable[[asking.Question], Awaitable[Answer]]


def main() -> int:
    """Plays, and prints a line for each vector."""
    arguments = _arguments()
    content = json.loads(arguments.file.read_text(encoding="utf-8"))
    play = _with_asyncio if arguments.asyncio else _waiting
    asyncio.run(play(arguments.address, _tls(arguments), content["vectors"]))
    return 0


async def _waiting(address: str, tls: Tls | None, vectors: list[Told]) -> None:
    with Client.connect(address, tls=tls, timeout=SECONDS) as client:

        async def ask(question: asking.Question) -> Answer:
            method = getattr(client, question.method)
            return cast("Answer", method(*question.positional, **question.named))

        await _play(vectors, ask)


async def _with_asyncio(address: str, tls: Tls | None, vectors: list[Told]) -> None:
    async with AsyncClient.connect(address, tls=tls, timeout=SECONDS) as client:

        async def ask(question: asking.Question) -> Answer:
            method = getattr(client, question.method)
            return cast("Answer", await method(*question.positional, **question.named))

        await _play(vectors, ask)


async def _play(vectors: list[Told], ask: Ask) -> None:
    for vector in vectors:
        print(json.dumps({"id": vector["id"], **await _outcome(vector, ask)}))


async def _outcome(vector: Told, ask: Ask) -> Told:
    request = cast("asking.Row", vector["request"])
    try:
        question = asking.question(str(vector["call"]), request)
    except asking.NotAskableError as error:
        return {"skipped": str(error)}
    came: Told
    try:
        came = {"response": telling.answer(await ask(question))}
    except AuthzError as error:
        came = {"error": telling.error(error)}
    found = difference(vector["want"], came)
    return {"ok": True} if found is None else {"ok": False, "told": found}


def _tls(arguments: argparse.Namespace) -> Tls | None:
    if arguments.ca is None:
        return None
    return Tls(arguments.ca, arguments.cert, arguments.key)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Plays a file of vectors.")
    parser.add_argument("--asyncio", action="store_true", help="with asyncio")
    parser.add_argument("--address", required=True, help="unix:/path, or host:port")
    parser.add_argument("--ca", type=Path, help="whom to trust, as PEM")
    parser.add_argument("--cert", type=Path, help="this client's certificate")
    parser.add_argument("--key", type=Path, help="its key")
    parser.add_argument("file", type=Path, help="a file of vectors/")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
