"""A listener to the change channel, and rows to change."""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg

WORLD = """
insert into authz.principals (id, kind, name, parent_principal_id) values
    (1, 'org', 'Acme', null), (2, 'org', 'Globex', null), (3, 'user', 'Ann', null),
    (4, 'user', 'Bob', null), (5, 'group', 'Lab', 1);
insert into authz.users (id, principal_id) values (30, 3), (40, 4);
insert into authz.user_identities values ('issuer', 'subject', 30);
insert into authz.principal_memberships
    (id, member_principal_id, parent_principal_id) values (31, 3, 1);
insert into authz.cluster_access values (50, 1);
insert into authz.api_keys (id, user_id, lookup_id, secret_hash)
    values (60, 30, 'key', 'sha256:' || repeat('0', 64));
insert into authz.resources values ('model', 70, 1, null, null);
insert into authz.feature_instances (id, organization_id) values ('i', 1), ('j', 2);
insert into authz.roles (id, label, organization_id)
    values ('r', 'R', null), ('s', 'S', 1);
insert into authz.access_rules (id, role_id, context, read)
    values ('rule', 'r', 'DATA', 'g');
insert into authz.membership_roles values (31, 'r');
insert into authz.feature_access (id, user_id, feature_instance_id)
    values ('fa', 30, 'i');
insert into authz.feature_access_roles values ('fa', 'r');
"""


Change = Mapping[str, object]


@dataclass
class Ear:
    """Hears the changes; what is told in between is waited for, never slept for."""

    connection: asyncpg.Connection
    heard: list[Change] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, *notice: object) -> None:
        """Note one notification, or that all before it have come."""
        if notice[3] == "done":
            self.done.set()
        else:
            self.heard.append(json.loads(str(notice[3])))

    async def listen(self) -> list[Change]:
        """Give what was told since the last time, keys sorted, transaction left out."""
        return [_plain(change) for change in await self.listen_raw()]

    async def listen_raw(self) -> list[Change]:
        """Give what was told since the last time, as it came."""
        self.done.clear()
        await self.connection.execute("notify authz_changes, 'done'")
        async with asyncio.timeout(10):
            await self.done.wait()
        heard, self.heard = self.heard, []
        return heard


def _plain(change: Change) -> Change:
    keys = change.get("k")
    return {"g": change["g"]} | ({"k": sorted(keys)} if isinstance(keys, list) else {})


def identity_key(issuer: str, subject: str) -> str:
    """Give the key of an identity: a hash, so that it fits whatever the two are."""
    return hashlib.sha256(f"{issuer}\x1f{subject}".encode()).hexdigest()
