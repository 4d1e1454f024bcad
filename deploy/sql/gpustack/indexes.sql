-- The indexes by which the sidecar finds rows, beyond the primary keys and the unique
-- index on api_keys (access_key), which such a platform has. One that is there under
-- another name makes its line here needless. Writes wait while an index is built; on
-- large tables write `create index concurrently`, each outside of a transaction.

create index if not exists authz_memberships_of_member
    on public.principal_memberships (member_principal_id, parent_principal_id);
create index if not exists authz_groups_of_organization
    on public.principals (parent_principal_id) where parent_principal_id is not null;
create index if not exists authz_grants_of_principal
    on public.cluster_access (principal_id);
