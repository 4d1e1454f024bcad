"""The relations of the reference schema: their columns, in the order of storing."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, unique
from types import MappingProxyType
from typing import Final

Value = str | bool | datetime | None


@unique
class Form(Enum):
    """What a column holds, and the type that the reference schema gives it."""

    TENANCY_ID = "bigint"
    ROLE_ID = "text of roles"
    TEXT = "text"
    FLAG = "boolean"
    TIME = "timestamptz"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `words` are the only values of a text column, when there are any."""

    name: str
    form: Form
    required: bool = True
    default: bool | None = None
    words: tuple[str, ...] = ()


def _id(name: str) -> Column:
    return Column(name, Form.TENANCY_ID)


def _role_id(name: str) -> Column:
    return Column(name, Form.ROLE_ID)


def _optional_id(name: str) -> Column:
    return Column(name, Form.TENANCY_ID, required=False)


def _text(name: str, *words: str) -> Column:
    return Column(name, Form.TEXT, words=words)


def _optional_text(name: str, *words: str) -> Column:
    return Column(name, Form.TEXT, required=False, words=words)


def _flag(name: str, *, default: bool) -> Column:
    return Column(name, Form.FLAG, default=default)


def _time(name: str) -> Column:
    return Column(name, Form.TIME, required=False)


def _level(name: str) -> Column:
    return _optional_text(name, "n", "m", "g", "a")


RELATIONS: Final = MappingProxyType(
    {
        "principals": (
            _id("id"),
            _text("kind", "user", "org", "group"),
            _optional_text("name"),
            _optional_id("parent_principal_id"),
            _time("deleted_at"),
        ),
        "users": (
            _id("id"),
            _id("principal_id"),
            _optional_text("name"),
            _flag("is_admin", default=False),
            _flag("is_system", default=False),
            _flag("is_active", default=True),
        ),
        "user_identities": (_text("issuer"), _text("subject"), _id("user_id")),
        "principal_memberships": (
            _id("id"),
            _id("member_principal_id"),
            _id("parent_principal_id"),
            _optional_text("role", "admin", "user"),
            _flag("enabled", default=True),
            _time("deleted_at"),
        ),
        "cluster_access": (_id("cluster_id"), _id("principal_id")),
        "api_keys": (
            _id("id"),
            _id("user_id"),
            _text("lookup_id"),
            _text("secret_hash"),
            _optional_id("owner_principal_id"),
            _time("expires_at"),
            _time("revoked_at"),
        ),
        "resources": (
            _text("kind"),
            _id("id"),
            _optional_id("owner_principal_id"),
            _optional_id("cluster_id"),
            _time("deleted_at"),
        ),
        "feature_instances": (
            _role_id("id"),
            _id("organization_id"),
            _flag("enabled", default=True),
        ),
        "roles": (
            _role_id("id"),
            _optional_text("label"),
            _optional_id("organization_id"),
            Column("feature_instance_id", Form.ROLE_ID, required=False),
        ),
        "access_rules": (
            _role_id("id"),
            _role_id("role_id"),
            _text("context", "DATA", "UI", "RESOURCE"),
            _optional_text("item"),
            _flag("view", default=False),
            _level("read"),
            _level("create"),
            _level("update"),
            _level("delete"),
        ),
        "membership_roles": (_id("membership_id"), _role_id("role_id")),
        "feature_access": (
            _role_id("id"),
            _id("user_id"),
            _role_id("feature_instance_id"),
            _flag("enabled", default=True),
        ),
        "feature_access_roles": (_role_id("feature_access_id"), _role_id("role_id")),
    },
)

# The columns by which rows are told apart and sorted; first the one that sidecars ask
# by, so that an index serves.
KEYS: Final = MappingProxyType(
    {
        **dict.fromkeys(RELATIONS, ("id",)),
        "user_identities": ("issuer", "subject"),
        "cluster_access": ("principal_id", "cluster_id"),
        "resources": ("kind", "id"),
        "membership_roles": ("membership_id", "role_id"),
        "feature_access_roles": ("feature_access_id", "role_id"),
    },
)
