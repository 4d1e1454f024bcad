-- What the tests need beyond the tables of such a platform: log-ins, kinds of resource
-- that it does not have, and a permission half of its own in place of the sidecar's
-- tables. Applied on top of what deploy/ ships for it.

create type public.rule_context as enum ('DATA', 'UI', 'RESOURCE');
create type public.access_level as enum ('NONE', 'MY', 'GROUP', 'ALL');

create table public.user_logins (provider text, external_id text, user_id integer);
create index on public.user_logins (provider, external_id);

create table public.other_resources (
    type text not null,
    id integer not null,
    owner_principal_id integer,
    cluster_id integer,
    deleted_at timestamp
);
create index on public.other_resources (id);

create table public.features (id bigint not null, org_id integer, enabled boolean);
create index on public.features (id);

create table public.permission_roles (
    id bigint not null,
    title text,
    org_id integer,
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

create table public.member_roles (membership_id integer, role_id bigint);
create index on public.member_roles (membership_id);

create table public.feature_users (
    id bigint not null,
    user_id integer,
    feature_id bigint,
    enabled boolean
);
create index on public.feature_users (id);
create index on public.feature_users (user_id, feature_id);

create table public.feature_user_roles (feature_user_id bigint, role_id bigint);
create index on public.feature_user_roles (feature_user_id);

create view authz.user_identities as
select provider as issuer, external_id as subject, user_id from public.user_logins;

create or replace view authz.resources as
select 'cluster'::text as kind, id, owner_principal_id, null as cluster_id,
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

drop table authz.feature_access_roles, authz.feature_access, authz.membership_roles,
    authz.access_rules, authz.roles, authz.feature_instances;

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

call authz.watch('public.user_logins', 'identity', 'provider, external_id, user_id',
    $$encode(sha256(convert_to(provider || chr(31) || external_id, 'UTF8')), 'hex')$$);
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

grant select on authz.user_identities, authz.feature_instances, authz.roles,
    authz.access_rules, authz.membership_roles, authz.feature_access,
    authz.feature_access_roles to authz_reader;
