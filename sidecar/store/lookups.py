"""How each type of key is looked up: its statement, its parameters, its fact."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, cast

from sidecar.core.ids import ClusterId, IdType
from sidecar.core.model import InstanceStanding, OrganizationMembership, Standing
from sidecar.ports import (
    ApiKeyKey,
    FactKey,
    GrantsKey,
    IdentityKey,
    InstanceKey,
    MembershipsKey,
    ResourceKey,
    RoleKey,
    StandingKey,
    UserKey,
)
from sidecar.store import decode
from sidecar.store.anomalies import Tell
from sidecar.store.catalogue import Catalogue
from sidecar.store.decode_role import decode_role
from sidecar.store.queries import Row
from sidecar.store.statements import write_statements

T = TypeVar("T")
K = TypeVar("K")

Arguments = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Lookup(Generic[K, T]):
    """One type of key.

    `arguments` gives none for a key whose text is no id of the columns: it names
    nothing, so its fact is `missing` and nobody needs to ask. `takes_many`: the
    statement takes an array in place of each of the arguments.
    """

    sql: str
    arguments: Callable[[K], Arguments | None]
    decode: Callable[[K, Sequence[Row], Tell], T]
    missing: T
    takes_many: bool = False


class Lookups(Protocol):
    """The look-ups by type of key."""

    def __getitem__(self, key_type: type[FactKey[T]]) -> Lookup[FactKey[T], T]:
        """The look-up of a type of key."""
        ...


def write_lookups(catalogue: Catalogue) -> Lookups:
    """The look-ups for a database's id types."""
    sql = write_statements(catalogue)
    convert = _Converter(catalogue)
    lookups = {
        UserKey: Lookup(
            sql.users, convert.user, decode.decode_user, None, takes_many=True
        ),
        IdentityKey: Lookup(
            sql.identity, convert.identity, decode.decode_identity, None
        ),
        ApiKeyKey: Lookup(sql.api_key, convert.api_key, decode.decode_api_key, None),
        GrantsKey: Lookup(
            sql.grants, convert.grants, decode.decode_grants, frozenset[ClusterId]()
        ),
        StandingKey: Lookup(
            sql.standing,
            convert.standing,
            decode.decode_standing,
            Standing(None, None, (), frozenset(), ()),
        ),
        MembershipsKey: Lookup(
            sql.memberships,
            convert.memberships,
            decode.decode_memberships,
            tuple[OrganizationMembership, ...](),
        ),
        InstanceKey: Lookup(
            sql.instances,
            convert.instance,
            decode.decode_instance,
            InstanceStanding(None, None),
            takes_many=True,
        ),
        RoleKey: Lookup(sql.roles, convert.role, decode_role, None, takes_many=True),
        ResourceKey: Lookup(
            sql.resources,
            convert.resource,
            decode.decode_resource,
            None,
            takes_many=True,
        ),
    }
    return cast("Lookups", lookups)


class _Converter:
    # Each gives the arguments in the order of the statement of its key.

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def user(self, key: UserKey) -> Arguments | None:
        return _if_any(self._id("users", "id", key.user_id))

    def identity(self, key: IdentityKey) -> Arguments | None:
        if not self._catalogue.has("user_identities"):
            return None
        texts = (key.issuer, key.subject)
        return texts if all(map(IdType.TEXT.names, texts)) else None

    def api_key(self, key: ApiKeyKey) -> Arguments | None:
        return (key.lookup_id,) if IdType.TEXT.names(key.lookup_id) else None

    def grants(self, key: GrantsKey) -> Arguments | None:
        return _if_any(self._id("cluster_access", "principal_id", key.principal_id))

    def standing(self, key: StandingKey) -> Arguments | None:
        member, current = key.member_principal_id, key.current_principal_id
        memberships = "principal_memberships"
        of_current = (
            self._id(memberships, "parent_principal_id", current),
            self._id("principals", "id", current),
            self._id("principals", "parent_principal_id", current),
            self._id("cluster_access", "principal_id", current),
        )
        if _if_any(*of_current) is None:
            return None
        parent, own, parent_of_group, granted = of_current
        # Nobody is a member of themselves, nor in a group of themselves.
        is_other = member != current
        return (
            self._id(memberships, "member_principal_id", member) if is_other else None,
            parent,
            own,
            parent_of_group,
            self._id("cluster_access", "principal_id", member),
            granted,
        )

    def memberships(self, key: MembershipsKey) -> Arguments | None:
        relation, column = "principal_memberships", "member_principal_id"
        return _if_any(self._id(relation, column, key.member_principal_id))

    def instance(self, key: InstanceKey) -> Arguments | None:
        instance_id = key.feature_instance_id
        own = self._id("feature_instances", "id", instance_id)
        of_access = self._id("feature_access", "feature_instance_id", instance_id)
        if own is None and of_access is None:
            return None
        return own, of_access, self._id("feature_access", "user_id", key.user_id)

    def role(self, key: RoleKey) -> Arguments | None:
        own = self._id("roles", "id", key.role_id)
        if own is None:
            return None
        return own, self._id("access_rules", "role_id", key.role_id)

    def resource(self, key: ResourceKey) -> Arguments | None:
        resource_id = self._id("resources", "id", key.resource_id)
        return None if resource_id is None else (key.kind, resource_id)

    def _id(self, relation: str, column: str, text: str) -> int | str | None:
        id_type = self._catalogue.type_of(relation, column)
        if not id_type.names(text):
            return None
        return int(text) if id_type in {IdType.BIGINT, IdType.INTEGER} else text


def _if_any(*arguments: object) -> Arguments | None:
    return None if all(each is None for each in arguments) else arguments
