-- Views over a platform like GPUStack, whose tables are in schema public. What is
-- assumed of them, and where to change it:
--
--   * Labels of enums are upper-case: USER, ORG, GROUP; ADMIN, USER. They become lower
--     case. Where roles have other names, write `case role::text when ...` instead.
--   * Times are UTC without a zone.
--   * Rows are deleted by setting deleted_at, in every table. A deleted grant is none,
--     a deleted user is not active, a deleted key is revoked.
--   * A group belongs to the organization that its parent_principal_id names.
--   * A key reads <prefix>_<access_key>_<secret>; its hash is argon2.
--
-- Run it as the owner of the tables: a view reads them with its owner's rights, so that
-- authz_reader needs none. Ids stay as they are, so that the tables' indexes serve.

create or replace view authz.principals as
select id, lower(kind::text) as kind, name, parent_principal_id,
    deleted_at at time zone 'UTC' as deleted_at
from public.principals;

create or replace view authz.users as
select id, principal_id, username as name, is_admin, is_system,
    is_active and deleted_at is null as is_active
from public.users;

create or replace view authz.principal_memberships as
select id, member_principal_id, parent_principal_id, lower(role::text) as role,
    enabled, deleted_at at time zone 'UTC' as deleted_at
from public.principal_memberships;

create or replace view authz.cluster_access as
select cluster_id, principal_id from public.cluster_access where deleted_at is null;

create or replace view authz.api_keys as
select id, user_id, access_key as lookup_id, hashed_secret_key as secret_hash,
    owner_principal_id, expires_at at time zone 'UTC' as expires_at,
    deleted_at at time zone 'UTC' as revoked_at
from public.api_keys;

create or replace view authz.resources as
select 'cluster'::text as kind, id, owner_principal_id, null as cluster_id,
    deleted_at at time zone 'UTC' as deleted_at
from public.clusters
union all
select 'worker', id, owner_principal_id, cluster_id, deleted_at at time zone 'UTC'
from public.workers
union all
select 'model', id, owner_principal_id, cluster_id, deleted_at at time zone 'UTC'
from public.models;

grant select on authz.principals, authz.users, authz.principal_memberships,
    authz.cluster_access, authz.api_keys, authz.resources to authz_reader;
