"""What random worlds and questions are made of: few values, so that they meet."""

import hashlib
from dataclasses import dataclass

from tests.spec.world import Kind

KINDS = {
    "cluster": Kind("CLUSTER", owner=True, cluster=False),
    "region": Kind("CLUSTER", owner=True, cluster=True),
    "zone": Kind("CLUSTER", owner=False, cluster=False),
    "worker": Kind("CLUSTER_RESOURCE", owner=True, cluster=True),
    "probe": Kind("CLUSTER_RESOURCE", owner=False, cluster=True),
    "rack": Kind("CLUSTER_RESOURCE", owner=True, cluster=False),
    "model": Kind("OWNED", owner=True, cluster=False),
    "volume": Kind("OWNED", owner=True, cluster=True),
    "template": Kind("OWNED", owner=False, cluster=False),
}
KIND_NAMES = (*KINDS, "ghost")
UNDECLARED = Kind("OWNED", owner=True, cluster=True)  # what may be said of a ghost

SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105  of no real key
SECRET_HASH = f"sha256:{hashlib.sha256(SECRET.encode()).hexdigest()}"
LOOKUP_IDS = ("k1", "k2", "k3")
ISSUER = "https://login.example"
SUBJECTS = ("ann", "bob", "cyd")
ITEMS = ("a", "a.b", "a.b.c", "ab", "a.bc", "A", "b")
LEVELS = ("n", "m", "g", "a")
LONG_AGO = "2020-01-01T00:00:00Z"
FAR_OFF = "2040-01-01T00:00:00Z"


@dataclass(frozen=True)
class Ids:
    """The ids of a world: one pool for all relations, with habitual places in it."""

    own: tuple[str, ...]  # the users' principals; also the users' ids, shifted by one
    organizations: tuple[str, ...]
    groups: tuple[str, ...]
    nobody: str

    @property
    def all(self) -> tuple[str, ...]:
        """Every id."""
        return (*self.own, *self.organizations, *self.groups, self.nobody)

    @property
    def clusters(self) -> tuple[str, ...]:
        """The ids that rows and clusters have."""
        return self.own[1], self.organizations[0], self.groups[0], self.nobody

    @property
    def memberships(self) -> tuple[str, ...]:
        """The ids that memberships have."""
        return self.all[:5]

    @property
    def instances(self) -> tuple[str, ...]:
        """The ids that feature instances have."""
        return self.organizations[0], self.own[0]

    @property
    def roles(self) -> tuple[str, ...]:
        """The ids that roles have."""
        return (*self.own[:1], *self.organizations[:2], self.groups[0])


# In each, organizations in the order of numbers and in that of text differ.
_NUMBERS = Ids(("0", "2", "10"), ("100", "9", "33"), ("1", "21"), "7")
IDS = {
    "bigint": _NUMBERS,
    "integer": _NUMBERS,
    "text": Ids(("u", "V", "w"), ("10", "9", "org x"), ("g", "h"), "n"),
    "uuid": Ids(
        tuple(f"00000000-0000-4000-8000-00000000000{n}" for n in "123"),
        tuple(f"{n}0000000-0000-4000-8000-00000000000a" for n in "c7f"),
        tuple(f"a0000000-0000-4000-8000-00000000000{n}" for n in "45"),
        "b0000000-0000-4000-8000-000000000000",
    ),
}
