"""What the constraints of the reference schema mean, in words.

One entry for each constraint: the column at fault and the reason, in which `{column}`
stands for the row's value.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Refusal:
    """A column at fault, and the reason with the row's values left open."""

    column: str
    reason: str


_NO_PRINCIPAL: Final = "there is no principal `{%s}`"
_NO_ROLE: Final = Refusal("role_id", "there is no role `{role_id}`")
_TAKEN: Final = Refusal("id", "`{id}` is taken by another row")
_EMPTY_ID: Final = Refusal("id", "must not be empty")
_LEVEL: Final = "`{%s}` is none of n, m, g, a"
_ABOVE_READ: Final = "`{%s}` exceeds read, which is `{read}`"
_MISFIT: Final = Refusal(
    "role_id",
    "role `{role_id}` belongs to another organization or feature instance",
)


def _no_principal(column: str) -> Refusal:
    return Refusal(column, _NO_PRINCIPAL % column)


def _no_organization(column: str) -> Refusal:
    return Refusal(column, f"{_NO_PRINCIPAL % column} of kind org")


def _no_level(column: str) -> Refusal:
    return Refusal(column, _LEVEL % column)


def _above_read(column: str) -> Refusal:
    return Refusal(column, _ABOVE_READ % column)


REFUSALS: Final = MappingProxyType(
    {
        "principals_pkey": _TAKEN,
        # Implied by the primary key: no row can be the first to break it.
        "principals_id_kind_key": _TAKEN,
        "principals_id_check": Refusal("id", "`{id}` is below zero"),
        "principals_kind_check": Refusal(
            "kind",
            "`{kind}` is none of user, org, group",
        ),
        "principals_group_has_parent": Refusal(
            "parent_principal_id",
            "a group has a parent, a user or an org has none",
        ),
        "principals_parent_is_org": _no_organization("parent_principal_id"),
        "users_pkey": _TAKEN,
        "users_principal_id_key": Refusal(
            "principal_id",
            "`{principal_id}` is another user's principal",
        ),
        "users_principal_is_user": Refusal(
            "principal_id",
            "there is no principal `{principal_id}` of kind user",
        ),
        "user_identities_pkey": Refusal(
            "subject",
            "`{subject}` of issuer `{issuer}` is taken by another row",
        ),
        "user_identities_issuer_check": Refusal("issuer", "must not be empty"),
        "user_identities_subject_check": Refusal("subject", "must not be empty"),
        "user_identities_user_id_fkey": Refusal(
            "user_id",
            "there is no user `{user_id}`",
        ),
        "principal_memberships_pkey": _TAKEN,
        "principal_memberships_id_parent_key": _TAKEN,
        "principal_memberships_role_check": Refusal(
            "role",
            "`{role}` is none of admin, user",
        ),
        "principal_memberships_one_active": Refusal(
            "member_principal_id",
            "`{member_principal_id}` has another active membership in "
            "`{parent_principal_id}`; this one is `{id}`",
        ),
        "principal_memberships_member_principal_id_fkey": _no_principal(
            "member_principal_id",
        ),
        "principal_memberships_parent_principal_id_fkey": _no_principal(
            "parent_principal_id",
        ),
        "cluster_access_pkey": Refusal(
            "cluster_id",
            "`{cluster_id}` is granted to `{principal_id}` by another row",
        ),
        "cluster_access_principal_id_fkey": _no_principal("principal_id"),
        "api_keys_pkey": _TAKEN,
        "api_keys_lookup_id_key": Refusal(
            "lookup_id",
            "`{lookup_id}` is taken by another key than `{id}`",
        ),
        "api_keys_lookup_id_check": Refusal("lookup_id", "must not be empty"),
        # The value stays out of the message: a plain secret may have been put there.
        "api_keys_secret_hash_check": Refusal(
            "secret_hash",
            "is neither `sha256:` with 64 lower-case hex digits nor an argon2 hash",
        ),
        "api_keys_user_id_fkey": Refusal("user_id", "there is no user `{user_id}`"),
        "api_keys_owner_principal_id_fkey": _no_principal("owner_principal_id"),
        "resources_pkey": Refusal("id", "`{id}` of kind `{kind}` is taken"),
        "resources_kind_check": Refusal("kind", "must not be empty"),
        "resources_owner_principal_id_fkey": _no_principal("owner_principal_id"),
        "feature_instances_pkey": _TAKEN,
        "feature_instances_id_organization_key": _TAKEN,
        "feature_instances_id_check": _EMPTY_ID,
        "feature_instances_organization_is_org": _no_organization("organization_id"),
        "roles_pkey": _TAKEN,
        "roles_id_scope_key": _TAKEN,
        "roles_id_check": _EMPTY_ID,
        "roles_organization_is_org": _no_organization("organization_id"),
        "roles_feature_instance_id_fkey": Refusal(
            "feature_instance_id",
            "there is no feature instance `{feature_instance_id}`",
        ),
        "roles_organization_of_feature_instance": Refusal(
            "organization_id",
            "feature instance `{feature_instance_id}` belongs to another organization "
            "than `{organization_id}`",
        ),
        "roles_scope_organization_check": Refusal(
            "organization_id",
            "`{organization_id}` is not what the role was stored with",
        ),
        "access_rules_pkey": _TAKEN,
        "access_rules_role_context_item_key": Refusal(
            "item",
            "role `{role_id}` has another {context} rule for this item than `{id}`",
        ),
        "access_rules_id_check": _EMPTY_ID,
        "access_rules_context_check": Refusal(
            "context",
            "`{context}` is none of DATA, UI, RESOURCE",
        ),
        "access_rules_item_segments": Refusal("item", "`{item}` has an empty segment"),
        "access_rules_item_blanks": Refusal("item", "`{item}` has a blank"),
        "access_rules_read_check": _no_level("read"),
        "access_rules_create_check": _no_level("create"),
        "access_rules_update_check": _no_level("update"),
        "access_rules_delete_check": _no_level("delete"),
        "access_rules_data_has_read": Refusal("read", "a DATA rule needs it"),
        "access_rules_create_within_read": _above_read("create"),
        "access_rules_update_within_read": _above_read("update"),
        "access_rules_delete_within_read": _above_read("delete"),
        "access_rules_role_id_fkey": _NO_ROLE,
        "membership_roles_pkey": Refusal(
            "role_id",
            "membership `{membership_id}` has role `{role_id}` by another row",
        ),
        "membership_roles_membership_id_fkey": Refusal(
            "membership_id",
            "there is no membership `{membership_id}`",
        ),
        "membership_roles_role_id_fkey": _NO_ROLE,
        "membership_roles_role_fits": _MISFIT,
        "feature_access_pkey": _TAKEN,
        "feature_access_id_instance_key": _TAKEN,
        "feature_access_user_instance_key": Refusal(
            "user_id",
            "`{user_id}` has another access to `{feature_instance_id}` than `{id}`",
        ),
        "feature_access_id_check": _EMPTY_ID,
        "feature_access_user_id_fkey": Refusal(
            "user_id",
            "there is no user `{user_id}`",
        ),
        "feature_access_feature_instance_id_fkey": Refusal(
            "feature_instance_id",
            "there is no feature instance `{feature_instance_id}`",
        ),
        "feature_access_roles_pkey": Refusal(
            "role_id",
            "feature access `{feature_access_id}` has role `{role_id}` by another row",
        ),
        "feature_access_roles_feature_access_id_fkey": Refusal(
            "feature_access_id",
            "there is no feature access `{feature_access_id}`",
        ),
        "feature_access_roles_feature_instance_id_fkey": Refusal(
            "feature_access_id",
            "there is no feature access `{feature_access_id}`",
        ),
        "feature_access_roles_role_id_fkey": _NO_ROLE,
        "feature_access_roles_role_fits": _MISFIT,
    },
)
