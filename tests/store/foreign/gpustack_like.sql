-- A platform that has its own tables: ids are bigint, enum labels upper-case, times UTC
-- without a zone. It keeps them; the sidecar reads views over them. Needs the change
-- functions, and hardly any constraint, so that tests can store what is malformed.

create type public.principal_kind as enum ('USER', 'ORG', 'GROUP');
create type public.org_role as enum ('ADMIN', 'USER');
create type public.rule_context as enum ('DATA', 'UI', 'RESOURCE');
create type public.access_level as enum ('NONE', 'MY', 'GROUP', 'ALL');

create table public.principals (
    id bigint not null,
    kind public.principal_kind,
    name varchar(255),
    description text,
    parent_principal_id bigint,
    created_at timestamp not null default (now() at time zone 'UTC'),
    deleted_at timestamp
);
create index on public.principals (id);
create index on public.principals (parent_principal_id);

create table public.users (
    id bigint not null,
    principal_id bigint,
    username varchar(255),
    is_admin boolean,
    is_system boolean,
    is_active boolean,
    last_seen_at timestamp
);
create index on public.users (id);
create index on public.users (principal_id);

create table public.user_logins (provider text, external_id text, user_id bigint);
create index on public.user_logins (provider, external_id);

create table public.principal_memberships (
    id bigint not null,
    member_principal_id bigint,
    parent_principal_id bigint,
    role public.org_role,
    enabled boolean,
    deleted_at timestamp
);
create index on public.principal_memberships (id);
create index on public.principal_memberships (member_principal_id, parent_principal_id);

create table public.cluster_access (cluster_id bigint, principal_id bigint);
create index on public.cluster_access (principal_id);

create table public.api_keys (
    id bigint not null,
    user_id bigint,
    access_key text,
    hashed_secret_key text,
    owner_principal_id bigint,
    expires_at timestamp,
    revoked_at timestamp,
    last_used_at timestamp
);
create index on public.api_keys (access_key);

create table public.clusters (
    id bigint not null,
    owner_principal_id bigint,
    provider text,
    deleted_at timestamp
);
create index on public.clusters (id);

create table public.workers (
    id bigint not null,
    owner_principal_id bigint,
    cluster_id bigint,
    heartbeat_at timestamp,
    deleted_at timestamp
);
create index on public.workers (id);

create table public.models (
    id bigint not null,
    owner_principal_id bigint,
    cluster_id bigint,
    replicas int,
    deleted_at timestamp
);
create index on public.models (id);

create table public.other_resources (
    type text not null,
    id bigint not null,
    owner_principal_id bigint,
    cluster_id bigint,
    deleted_at timestamp
);
create index on public.other_resources (id);

create table public.features (id bigint not null, org_id bigint, enabled boolean);
create index on public.features (id);

create table public.permission_roles (
    id bigint not null,
    title text,
    org_id bigint,
    feature_id bigint
);
create index on public.permission_roles (id);

create table public.permission_rules (
    id bigint not null,
    role_id bigint,
    context public.rule_context,
    item text,
    visible boolean,
    read_level public.access_level,
    create_level public.access_level,
    update_level public.access_level,
    delete_level public.access_level
);
create index on public.permission_rules (role_id);

create table public.member_roles (membership_id bigint, role_id bigint);
create index on public.member_roles (membership_id);

create table public.feature_users (
    id bigint not null,
    user_id bigint,
    feature_id bigint,
    enabled boolean
);
create index on public.feature_users (id);
create index on public.feature_users (user_id, feature_id);

create table public.feature_user_roles (feature_user_id bigint, role_id bigint);
create index on public.feature_user_roles (feature_user_id);

create view authz.principals as
select id, lower(kind::text) as kind, name, parent_principal_id,
    deleted_at at time zone 'UTC' as deleted_at
from public.principals;

create view authz.users as
select id, principal_id, username as name, is_admin, is_system, is_active
from public.users;

create view authz.user_identities as
select provider as issuer, external_id as subject, user_id from public.user_logins;

create view authz.principal_memberships as
select id, member_principal_id, parent_principal_id, lower(role::text) as role,
    enabled, deleted_at at time zone 'UTC' as deleted_at
from public.principal_memberships;

create view authz.cluster_access as
select cluster_id, principal_id from public.cluster_access;

create view authz.api_keys as
select id, user_id, access_key as lookup_id, hashed_secret_key as secret_hash,
    owner_principal_id, expires_at at time zone 'UTC' as expires_at,
    revoked_at at time zone 'UTC' as revoked_at
from public.api_keys;

create view authz.resources as
select 'cluster'::text as kind, id, owner_principal_id, null::bigint as cluster_id,
    deleted_at at time zone 'UTC' as deleted_at
from public.clusters
union all
select 'worker', id, owner_principal_id, cluster_id, deleted_at at time zone 'UTC'
from public.workers
union all
select 'model', id, owner_principal_id, cluster_id, deleted_at at time zone 'UTC'
from public.models
union all
select type, id, owner_principal_id, cluster_id, deleted_at at time zone 'UTC'
from public.other_resources;

create view authz.feature_instances as
select id, org_id as organization_id, enabled from public.features;

create view authz.roles as
select id, title as label, org_id as organization_id,
    feature_id as feature_instance_id
from public.permission_roles;

-- The labels begin with the letters that stand for the levels.
create view authz.access_rules as
select id, role_id, context::text as context, item, visible as view,
    lower(left(read_level::text, 1)) as read,
    lower(left(create_level::text, 1)) as "create",
    lower(left(update_level::text, 1)) as update,
    lower(left(delete_level::text, 1)) as delete
from public.permission_rules;

create view authz.membership_roles as
select membership_id, role_id from public.member_roles;

create view authz.feature_access as
select id, user_id, feature_id as feature_instance_id, enabled
from public.feature_users;

create view authz.feature_access_roles as
select feature_user_id as feature_access_id, role_id from public.feature_user_roles;

call authz.watch('public.principals', 'principal',
    'id, kind, name, parent_principal_id, deleted_at', 'id', 'parent_principal_id');
call authz.watch('public.users', 'user',
    'id, principal_id, is_admin, is_system, is_active', 'id');
call authz.watch('public.user_logins', 'identity', 'provider, external_id, user_id',
    $$encode(sha256(convert_to(provider || chr(31) || external_id, 'UTF8')), 'hex')$$);
call authz.watch('public.principal_memberships', 'member',
    'id, member_principal_id, parent_principal_id, role, enabled, deleted_at',
    'member_principal_id');
call authz.watch('public.cluster_access', 'grants', 'cluster_id, principal_id',
    'principal_id');
call authz.watch('public.api_keys', 'api_key',
    'id, user_id, access_key, hashed_secret_key, owner_principal_id, expires_at,'
    ' revoked_at', 'access_key');
call authz.watch('public.clusters', 'resource', 'id, owner_principal_id, deleted_at',
    $$'cluster/' || id$$);
call authz.watch('public.workers', 'resource',
    'id, owner_principal_id, cluster_id, deleted_at', $$'worker/' || id$$);
call authz.watch('public.models', 'resource',
    'id, owner_principal_id, cluster_id, deleted_at', $$'model/' || id$$);
call authz.watch('public.other_resources', 'resource',
    'type, id, owner_principal_id, cluster_id, deleted_at', $$type || '/' || id$$);
call authz.watch('public.features', 'instance', 'id, org_id, enabled', 'id');
call authz.watch('public.permission_roles', 'role', 'id, title, org_id, feature_id',
    'id');
call authz.watch('public.permission_rules', 'role',
    'id, role_id, context, item, visible, read_level, create_level, update_level,'
    ' delete_level', 'role_id');
call authz.watch('public.member_roles', 'membership_roles', 'membership_id, role_id',
    'membership_id');
call authz.watch('public.feature_users', 'access', 'id, user_id, feature_id, enabled',
    $$user_id || '/' || feature_id$$);
call authz.watch('public.feature_user_roles', 'access_roles',
    'feature_user_id, role_id', 'feature_user_id');
