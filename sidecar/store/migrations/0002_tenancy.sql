-- Who there is, who belongs where, and what there is to own.
--
-- A condition that spans two tables is a composite foreign key, not a trigger: a
-- foreign key locks the row it relies on and sees past its own snapshot, so two writers
-- at once cannot break it at any isolation level. The columns that this needs and that
-- no sidecar reads are generated, and say so in their comments.

create table authz.principals (
    id bigint not null,
    kind text not null,
    name text,
    parent_principal_id bigint,
    deleted_at timestamptz,
    parent_kind text generated always as (case kind when 'group' then 'org' end) stored,
    constraint principals_pkey primary key (id),
    constraint principals_id_kind_key unique (id, kind),
    constraint principals_id_check check (id >= 0),
    constraint principals_kind_check check (kind in ('user', 'org', 'group')),
    constraint principals_group_has_parent
        check ((kind = 'group') = (parent_principal_id is not null)),
    constraint principals_parent_is_org
        foreign key (parent_principal_id, parent_kind)
        references authz.principals (id, kind)
);
create index principals_groups_of_parent
    on authz.principals (parent_principal_id) where kind = 'group';

comment on table authz.principals is 'Whatever can own rows.';
comment on column authz.principals.id is 'Its id, zero or above.';
comment on column authz.principals.kind is 'One of user, org (a tenant), group.';
comment on column authz.principals.name is 'Its name for people.';
comment on column authz.principals.parent_principal_id is
    'The organization of a group; null for the other kinds.';
comment on column authz.principals.deleted_at is
    'When it was deleted; null while live.';
comment on column authz.principals.parent_kind is
    'Generated: the kind that the parent must have.';

create table authz.users (
    id bigint not null,
    principal_id bigint not null,
    name text,
    is_admin boolean not null default false,
    is_system boolean not null default false,
    is_active boolean not null default true,
    principal_kind text not null generated always as ('user') stored,
    constraint users_pkey primary key (id),
    constraint users_principal_id_key unique (principal_id),
    constraint users_principal_is_user
        foreign key (principal_id, principal_kind)
        references authz.principals (id, kind)
);

comment on table authz.users is 'Who can call: people and service accounts.';
comment on column authz.users.id is 'Its id.';
comment on column authz.users.principal_id is
    'The user''s own principal, of kind user; no two users share one.';
comment on column authz.users.name is 'Its name for people.';
comment on column authz.users.is_admin is 'Whether it is a platform admin.';
comment on column authz.users.is_system is
    'Whether it is a service account that the platform itself runs.';
comment on column authz.users.is_active is 'Whether it may call at all.';
comment on column authz.users.principal_kind is
    'Generated: the kind that the principal must have.';

create table authz.user_identities (
    issuer text not null,
    subject text not null,
    user_id bigint not null,
    constraint user_identities_pkey primary key (issuer, subject),
    constraint user_identities_issuer_check check (issuer <> ''),
    constraint user_identities_subject_check check (subject <> ''),
    constraint user_identities_user_id_fkey
        foreign key (user_id) references authz.users (id)
);
create index user_identities_user_id on authz.user_identities (user_id);

comment on table authz.user_identities is 'Who a token or a certificate is.';
comment on column authz.user_identities.issuer is 'Who vouches for the subject.';
comment on column authz.user_identities.subject is 'The issuer''s name for the user.';
comment on column authz.user_identities.user_id is 'The user.';

create table authz.principal_memberships (
    id bigint not null,
    member_principal_id bigint not null,
    parent_principal_id bigint not null,
    role text,
    enabled boolean not null default true,
    deleted_at timestamptz,
    constraint principal_memberships_pkey primary key (id),
    constraint principal_memberships_id_parent_key unique (id, parent_principal_id),
    constraint principal_memberships_role_check check (role in ('admin', 'user')),
    constraint principal_memberships_member_principal_id_fkey
        foreign key (member_principal_id) references authz.principals (id),
    constraint principal_memberships_parent_principal_id_fkey
        foreign key (parent_principal_id) references authz.principals (id)
);
create unique index principal_memberships_one_active
    on authz.principal_memberships (member_principal_id, parent_principal_id)
    where enabled and deleted_at is null;
create index principal_memberships_member_principal_id
    on authz.principal_memberships (member_principal_id);
create index principal_memberships_parent_principal_id
    on authz.principal_memberships (parent_principal_id);

comment on table authz.principal_memberships is
    'Who belongs to an organization or a group. Active: enabled and not deleted.';
comment on column authz.principal_memberships.id is 'Its id.';
comment on column authz.principal_memberships.member_principal_id is 'Who belongs.';
comment on column authz.principal_memberships.parent_principal_id is 'To what.';
comment on column authz.principal_memberships.role is
    'The org role: admin, user, or null for a member without one.';
comment on column authz.principal_memberships.enabled is 'Whether it is in force.';
comment on column authz.principal_memberships.deleted_at is
    'When it ended; null while it lasts.';

create table authz.cluster_access (
    cluster_id bigint not null,
    principal_id bigint not null,
    -- In this order: a sidecar asks for the clusters of a principal.
    constraint cluster_access_pkey primary key (principal_id, cluster_id),
    constraint cluster_access_principal_id_fkey
        foreign key (principal_id) references authz.principals (id)
);

comment on table authz.cluster_access is 'Which principal may use which cluster.';
comment on column authz.cluster_access.cluster_id is
    'The cluster: the id of a resource of whichever kind has the rule CLUSTER.';
comment on column authz.cluster_access.principal_id is 'Who may use it.';

create table authz.api_keys (
    id bigint not null,
    user_id bigint not null,
    lookup_id text not null,
    secret_hash text not null,
    owner_principal_id bigint,
    expires_at timestamptz,
    revoked_at timestamptz,
    constraint api_keys_pkey primary key (id),
    constraint api_keys_lookup_id_key unique (lookup_id),
    constraint api_keys_lookup_id_check check (lookup_id <> ''),
    constraint api_keys_secret_hash_check
        check (secret_hash ~ '^(sha256:[0-9a-f]{64}|\$argon2(id|i|d)\$[^[:space:]]+)$'),
    constraint api_keys_user_id_fkey
        foreign key (user_id) references authz.users (id),
    constraint api_keys_owner_principal_id_fkey
        foreign key (owner_principal_id) references authz.principals (id)
);
create index api_keys_user_id on authz.api_keys (user_id);
create index api_keys_owner_principal_id on authz.api_keys (owner_principal_id)
    where owner_principal_id is not null;

comment on table authz.api_keys is 'The keys by which users call.';
comment on column authz.api_keys.id is 'Its id.';
comment on column authz.api_keys.user_id is 'Whose key it is.';
comment on column authz.api_keys.lookup_id is
    'The public part of the key, by which it is found.';
comment on column authz.api_keys.secret_hash is
    'sha256:<hex> of a secret of at least 128 random bits, or an argon2 PHC string.';
comment on column authz.api_keys.owner_principal_id is
    'The principal that the key is pinned to; null when it is not.';
comment on column authz.api_keys.expires_at is 'From when it is no longer good.';
comment on column authz.api_keys.revoked_at is 'When it was revoked; null while good.';

create table authz.resources (
    kind text not null,
    id bigint not null,
    owner_principal_id bigint,
    cluster_id bigint,
    deleted_at timestamptz,
    constraint resources_pkey primary key (kind, id),
    constraint resources_kind_check check (kind <> ''),
    constraint resources_owner_principal_id_fkey
        foreign key (owner_principal_id) references authz.principals (id)
);
create index resources_owner_principal_id on authz.resources (owner_principal_id)
    where owner_principal_id is not null;

comment on table authz.resources is 'What is owned, granted and listed.';
comment on column authz.resources.kind is 'A kind that the settings declare.';
comment on column authz.resources.id is 'Its id among those of its kind.';
comment on column authz.resources.owner_principal_id is
    'Who owns it; null makes it global.';
comment on column authz.resources.cluster_id is 'The cluster that it is on, or null.';
comment on column authz.resources.deleted_at is 'When it was deleted; null while live.';
