"""A directory of any size, and a sidecar over it as a process of its own.

User u belongs to one of the organizations, in which a worker u is; a cluster u is of
another organization and lent to that one. Every third user has a role u with one rule.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import asyncpg

ROOT: Final = Path(__file__).resolve().parents[1]
ORGANIZATIONS: Final = 100
_FIRST_OWN: Final = 1_000_000
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 30.0

_SETTLE: Final = f"""
insert into authz.principals (id, kind)
    select n, 'org' from generate_series(1, {ORGANIZATIONS}) as n
    union all select {_FIRST_OWN} + n, 'user' from generate_series(1, $people) as n;
insert into authz.users (id, principal_id)
    select n, {_FIRST_OWN} + n from generate_series(1, $people) as n;
insert into authz.principal_memberships
        (id, member_principal_id, parent_principal_id, role)
    select n, {_FIRST_OWN} + n, 1 + n % {ORGANIZATIONS}, 'user'
    from generate_series(1, $people) as n;
insert into authz.resources (kind, id, owner_principal_id)
    select 'worker', n, 1 + n % {ORGANIZATIONS} from generate_series(1, $people) as n
    union all
    select 'cluster', n, 1 + (n + 1) % {ORGANIZATIONS}
    from generate_series(1, $people) as n;
insert into authz.cluster_access (cluster_id, principal_id)
    select n, 1 + n % {ORGANIZATIONS} from generate_series(1, $people) as n;
insert into authz.roles (id, organization_id)
    select 'role-' || n, 1 + n % {ORGANIZATIONS}
    from generate_series(2, $people, 3) as n;
insert into authz.access_rules (id, role_id, context, item, view, read)
    select 'rule-' || n, 'role-' || n, 'DATA', 'data.item' || n, true, 'g'
    from generate_series(2, $people, 3) as n;
insert into authz.membership_roles (membership_id, role_id)
    select n, 'role-' || n from generate_series(2, $people, 3) as n;
insert into authz.api_keys (id, user_id, lookup_id, secret_hash)
    select n, n, 'key' || n,
        'sha256:' || encode(sha256(convert_to('secret-of-' || n, 'UTF8')), 'hex')
    from generate_series(1, $people) as n;
analyze;
"""  # noqa: S608


def organization(user: int) -> int:
    """Whom a user belongs to."""
    return 1 + user % ORGANIZATIONS


def api_key(user: int) -> str:
    """What a user shows at the edge."""
    return f"town_key{user}_secret-of-{user}"


async def settle(url: str, people: int) -> None:
    """Stores the directory in a database that has the reference schema."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_SETTLE.replace("$people", str(people)))
    finally:
        await connection.close()


@contextmanager
def sidecar(
    url: str, log: Path, settings: Mapping[str, object]
) -> Iterator[subprocess.Popen[bytes]]:
    """`authz-sidecar serve`, ready; gives its process.

    Args:
        url: The database.
        log: The file for all that it says.
        settings: What differs from examples/sidecar.yaml, by name.

    Raises:
        RuntimeError: It ended, or was not ready in time.
    """
    chosen = {"database__url": url, **settings}
    # Settings of the surrounding shell are not these.
    kept = {name: text for name, text in os.environ.items() if "AUTHZ_" not in name}
    command = ["-m", "sidecar", "serve", "-c", str(ROOT / "examples" / "sidecar.yaml")]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  our own program
            [sys.executable, *command],
            cwd=ROOT,
            env=kept
            | {f"AUTHZ_{name.upper()}": _text(chosen[name]) for name in chosen},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, log)
        yield process
    finally:
        _stop(process)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while b"ready" not in log.read_bytes().splitlines():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the sidecar did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
