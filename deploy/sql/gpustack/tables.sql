-- What such a platform has no tables for: the permission half (roles, access rules,
-- features). The sidecar's own tables stand in for it, empty: every question about
-- permissions is answered with "nothing" until somebody fills them. Once the platform
-- has tables for these itself, drop a table here and create a view of its name.
--
-- No foreign key leads to the platform's tables, so nothing here ever stands in the way
-- of a write of the platform. A row about a membership or an organization that is gone
-- has no effect.

create table authz.feature_instances (
    id text not null primary key check (id <> ''),
    organization_id bigint not null,
    enabled boolean not null default true
);

create table authz.roles (
    id text not null primary key check (id <> ''),
    label text,
    organization_id bigint,
    feature_instance_id text references authz.feature_instances (id)
);
create index on authz.roles (feature_instance_id);

-- A valid rule has a level of reading in DATA, and no other level above it there.
create table authz.access_rules (
    id text not null primary key check (id <> ''),
    role_id text not null references authz.roles (id),
    context text not null check (context in ('DATA', 'UI', 'RESOURCE')),
    item text check (item ~ '^[^.[:space:]]+(\.[^.[:space:]]+)*$'),
    view boolean not null default false,
    read text check (read in ('n', 'm', 'g', 'a')),
    "create" text check ("create" in ('n', 'm', 'g', 'a')),
    update text check (update in ('n', 'm', 'g', 'a')),
    delete text check (delete in ('n', 'm', 'g', 'a')),
    unique nulls not distinct (role_id, context, item),
    check (context <> 'DATA' or read is not null),
    check (context <> 'DATA' or strpos('nmga', read) >= greatest(
        strpos('nmga', coalesce("create", 'n')),
        strpos('nmga', coalesce(update, 'n')),
        strpos('nmga', coalesce(delete, 'n'))))
);

create table authz.membership_roles (
    membership_id bigint not null,
    role_id text not null references authz.roles (id),
    primary key (membership_id, role_id)
);
create index on authz.membership_roles (role_id);

create table authz.feature_access (
    id text not null primary key check (id <> ''),
    user_id bigint not null,
    feature_instance_id text not null references authz.feature_instances (id),
    enabled boolean not null default true,
    unique (user_id, feature_instance_id)
);
create index on authz.feature_access (feature_instance_id);

create table authz.feature_access_roles (
    feature_access_id text not null references authz.feature_access (id),
    role_id text not null references authz.roles (id),
    primary key (feature_access_id, role_id)
);
create index on authz.feature_access_roles (role_id);

call authz.watch('authz.feature_instances', 'instance',
    'id, organization_id, enabled', 'id');
call authz.watch('authz.roles', 'role',
    'id, label, organization_id, feature_instance_id', 'id');
call authz.watch('authz.access_rules', 'role',
    'id, role_id, context, item, view, read, "create", update, delete', 'role_id');
call authz.watch('authz.membership_roles', 'membership_roles',
    'membership_id, role_id', 'membership_id');
call authz.watch('authz.feature_access', 'access',
    'id, user_id, feature_instance_id, enabled',
    $$user_id || '/' || feature_instance_id$$);
call authz.watch('authz.feature_access_roles', 'access_roles',
    'feature_access_id, role_id', 'feature_access_id');

grant select on authz.feature_instances, authz.roles, authz.access_rules,
    authz.membership_roles, authz.feature_access, authz.feature_access_roles
    to authz_reader;
