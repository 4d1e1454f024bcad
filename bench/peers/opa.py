"""OPA's engine behind Envoy, told of the example's keys, members and clusters."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import yaml

from bench.parts.cores import Started, accepts, started
from bench.parts.world import ROOT

NAME: Final = "OPA's engine"
BINARY: Final = ROOT / "build/peers/bin/opa-behind-envoy"
_POLICY: Final = Path(__file__).parent / "opa-behind-envoy" / "policy.rego"
_EXAMPLE: Final = ROOT / "examples" / "gpu-cloud.yaml"


@contextmanager
def opa(socket: Path, folder: Path) -> Iterator[Started]:
    """An `ext_authz` on the measured core, at a socket."""
    data = folder / "data.json"
    data.write_text(json.dumps(told()), encoding="utf-8")
    command = (str(BINARY), str(socket), str(_POLICY), str(data))
    log = folder / "opa.log"
    with started(command, log, lambda: accepts(f"unix:{socket}")) as running:
        yield running


def told() -> dict[str, dict[str, object]]:
    """What the policy looks up, out of the example's document."""
    document = yaml.safe_load(_EXAMPLE.read_text(encoding="utf-8"))
    users = {each["principal_id"]: str(each["id"]) for each in document["users"]}
    members: dict[str, dict[str, str]] = {}
    for each in document["principal_memberships"]:
        if each.get("enabled", True) and "role" in each:
            user = users[each["member_principal_id"]]
            members.setdefault(user, {})[str(each["parent_principal_id"])] = each[
                "role"
            ]
    return {
        "keys": {
            each["lookup_id"]: {
                "user": str(each["user_id"]),
                "hash": each["secret_hash"].removeprefix("sha256:"),
            }
            for each in document["api_keys"]
            if "revoked_at" not in each and "expires_at" not in each
        },
        "members": dict(members),
        "clusters": {
            str(each["id"]): {
                "owner": str(each.get("owner_principal_id", "")),
                "granted": [
                    str(grant["principal_id"])
                    for grant in document["cluster_access"]
                    if grant["cluster_id"] == each["id"]
                ],
            }
            for each in document["resources"]
            if each["kind"] == "cluster"
        },
    }
