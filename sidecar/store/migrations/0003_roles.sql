-- Roles, their rules, and who holds them where.
--
-- A role must fit where it is assigned, and go on fitting when the role, the membership
-- or the feature instance changes. So an assignment carries copies of the scopes of
-- both sides, tied to them by foreign keys that cascade: whatever changes, the copies
-- follow, and a plain check on the assignment then refuses what no longer fits. The
-- triggers only fill the copies in; were one wrong, the foreign key would say so.

create table authz.feature_instances (
    id text not null,
    organization_id bigint not null,
    enabled boolean not null default true,
    organization_kind text not null generated always as ('org') stored,
    constraint feature_instances_pkey primary key (id),
    constraint feature_instances_id_organization_key unique (id, organization_id),
    constraint feature_instances_id_check check (id <> ''),
    constraint feature_instances_organization_is_org
        foreign key (organization_id, organization_kind)
        references authz.principals (id, kind)
);
create index feature_instances_organization_id
    on authz.feature_instances (organization_id);

comment on table authz.feature_instances is 'Features deployed inside an organization.';
comment on column authz.feature_instances.id is 'Its id, not empty.';
comment on column authz.feature_instances.organization_id is 'The organization.';
comment on column authz.feature_instances.enabled is
    'Whether roles given through it count.';
comment on column authz.feature_instances.organization_kind is
    'Generated: the kind that the organization must have.';

create table authz.roles (
    id text not null,
    label text,
    organization_id bigint,
    feature_instance_id text,
    organization_kind text generated always as (
        case when organization_id is not null then 'org' end) stored,
    scope_organization_id bigint not null,
    scope_feature_instance_id text not null generated always as (
        coalesce(feature_instance_id, '')) stored,
    constraint roles_pkey primary key (id),
    constraint roles_id_scope_key
        unique (id, scope_organization_id, scope_feature_instance_id),
    constraint roles_id_check check (id <> ''),
    constraint roles_organization_is_org
        foreign key (organization_id, organization_kind)
        references authz.principals (id, kind),
    constraint roles_feature_instance_id_fkey
        foreign key (feature_instance_id, scope_organization_id)
        references authz.feature_instances (id, organization_id) on update cascade,
    constraint roles_organization_of_feature_instance
        check (organization_id is null or organization_id = scope_organization_id),
    constraint roles_scope_organization_check check (
        feature_instance_id is not null
        or scope_organization_id = coalesce(organization_id, -1))
);
create index roles_organization_id on authz.roles (organization_id)
    where organization_id is not null;
create index roles_feature_instance_id on authz.roles (feature_instance_id)
    where feature_instance_id is not null;

comment on table authz.roles is
    'Named sets of access rules. Scope: instance when it has a feature instance, else'
    ' organization when it has an organization, else global.';
comment on column authz.roles.id is 'Its id, not empty.';
comment on column authz.roles.label is 'Its name for people.';
comment on column authz.roles.organization_id is
    'The organization that it is limited to, or null.';
comment on column authz.roles.feature_instance_id is
    'The feature instance that it is limited to, or null.';
comment on column authz.roles.organization_kind is
    'Generated: the kind that the organization must have.';
comment on column authz.roles.scope_organization_id is
    'Kept by the database: its organization, or that of its instance, or -1 if global.';
comment on column authz.roles.scope_feature_instance_id is
    'Generated: its feature instance, or empty.';

create function authz.fill_role() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
begin
    new.scope_organization_id := coalesce(
        (select i.organization_id from authz.feature_instances as i
         where i.id = new.feature_instance_id),
        new.organization_id, -1);
    return new;
end
$function$;
comment on function authz.fill_role() is
    'Fills in what authz.roles keeps of its feature instance.';
create trigger fill before insert or update on authz.roles
    for each row execute function authz.fill_role();

create table authz.access_rules (
    id text not null,
    role_id text not null,
    context text not null,
    item text,
    view boolean not null default false,
    read text,
    "create" text,
    update text,
    delete text,
    constraint access_rules_pkey primary key (id),
    constraint access_rules_role_context_item_key
        unique nulls not distinct (role_id, context, item),
    constraint access_rules_id_check check (id <> ''),
    constraint access_rules_context_check check (context in ('DATA', 'UI', 'RESOURCE')),
    constraint access_rules_item_segments
        check (item ~ '^[^.]+(\.[^.]+)*$'),
    -- Every character that Unicode calls white space, named one by one: what a class
    -- such as \s holds depends on the locale of the database.
    constraint access_rules_item_blanks check (
        item !~ ('[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a'
            '\u2028\u2029\u202f\u205f\u3000]')),
    constraint access_rules_read_check check (read in ('n', 'm', 'g', 'a')),
    constraint access_rules_create_check check ("create" in ('n', 'm', 'g', 'a')),
    constraint access_rules_update_check check (update in ('n', 'm', 'g', 'a')),
    constraint access_rules_delete_check check (delete in ('n', 'm', 'g', 'a')),
    constraint access_rules_data_has_read check (context <> 'DATA' or read is not null),
    constraint access_rules_create_within_read check (context <> 'DATA'
        or strpos('nmga', coalesce("create", 'n')) <= strpos('nmga', read)),
    constraint access_rules_update_within_read check (context <> 'DATA'
        or strpos('nmga', coalesce(update, 'n')) <= strpos('nmga', read)),
    constraint access_rules_delete_within_read check (context <> 'DATA'
        or strpos('nmga', coalesce(delete, 'n')) <= strpos('nmga', read)),
    constraint access_rules_role_id_fkey
        foreign key (role_id) references authz.roles (id)
);

comment on table authz.access_rules is
    'What a role allows. Levels: n none, m my own rows, g rows of my group, a all; null'
    ' means n. Only in the context DATA do they count, and none may exceed read there.';
comment on column authz.access_rules.id is 'Its id, not empty.';
comment on column authz.access_rules.role_id is 'The role.';
comment on column authz.access_rules.context is 'One of DATA, UI, RESOURCE.';
comment on column authz.access_rules.item is
    'What it is about: segments separated by dots, without blanks; null for'
    ' everything.';
comment on column authz.access_rules.view is 'Whether it may be seen.';
comment on column authz.access_rules.read is 'The level of reading; needed for DATA.';
comment on column authz.access_rules."create" is 'The level of creating.';
comment on column authz.access_rules.update is 'The level of changing.';
comment on column authz.access_rules.delete is 'The level of deleting.';

create table authz.membership_roles (
    membership_id bigint not null,
    role_id text not null,
    organization_id bigint not null,
    role_organization_id bigint not null,
    role_feature_instance_id text not null,
    constraint membership_roles_pkey primary key (membership_id, role_id),
    constraint membership_roles_membership_id_fkey
        foreign key (membership_id, organization_id)
        references authz.principal_memberships (id, parent_principal_id)
        on update cascade,
    constraint membership_roles_role_id_fkey
        foreign key (role_id, role_organization_id, role_feature_instance_id)
        references authz.roles
            (id, scope_organization_id, scope_feature_instance_id)
        on update cascade,
    constraint membership_roles_role_fits
        check (role_organization_id in (-1, organization_id))
);
create index membership_roles_role_id on authz.membership_roles (role_id);

comment on table authz.membership_roles is
    'Roles on a membership: global ones, those of its organization, and those of'
    ' feature instances of its organization.';
comment on column authz.membership_roles.membership_id is 'The membership.';
comment on column authz.membership_roles.role_id is 'The role.';
comment on column authz.membership_roles.organization_id is
    'Kept by the database: the parent of the membership.';
comment on column authz.membership_roles.role_organization_id is
    'Kept by the database: the role''s scope_organization_id.';
comment on column authz.membership_roles.role_feature_instance_id is
    'Kept by the database: the role''s scope_feature_instance_id.';

create table authz.feature_access (
    id text not null,
    user_id bigint not null,
    feature_instance_id text not null,
    enabled boolean not null default true,
    constraint feature_access_pkey primary key (id),
    constraint feature_access_id_instance_key unique (id, feature_instance_id),
    constraint feature_access_user_instance_key unique (user_id, feature_instance_id),
    constraint feature_access_id_check check (id <> ''),
    constraint feature_access_user_id_fkey
        foreign key (user_id) references authz.users (id),
    constraint feature_access_feature_instance_id_fkey
        foreign key (feature_instance_id) references authz.feature_instances (id)
);
create index feature_access_feature_instance_id
    on authz.feature_access (feature_instance_id);

comment on table authz.feature_access is 'Which user may use which feature instance.';
comment on column authz.feature_access.id is 'Its id, not empty.';
comment on column authz.feature_access.user_id is 'The user.';
comment on column authz.feature_access.feature_instance_id is 'The feature instance.';
comment on column authz.feature_access.enabled is 'Whether its roles count.';

create table authz.feature_access_roles (
    feature_access_id text not null,
    role_id text not null,
    feature_instance_id text not null,
    organization_id bigint not null,
    role_organization_id bigint not null,
    role_feature_instance_id text not null,
    constraint feature_access_roles_pkey primary key (feature_access_id, role_id),
    constraint feature_access_roles_feature_access_id_fkey
        foreign key (feature_access_id, feature_instance_id)
        references authz.feature_access (id, feature_instance_id) on update cascade,
    constraint feature_access_roles_feature_instance_id_fkey
        foreign key (feature_instance_id, organization_id)
        references authz.feature_instances (id, organization_id) on update cascade,
    constraint feature_access_roles_role_id_fkey
        foreign key (role_id, role_organization_id, role_feature_instance_id)
        references authz.roles
            (id, scope_organization_id, scope_feature_instance_id)
        on update cascade,
    constraint feature_access_roles_role_fits check (
        case role_feature_instance_id
            when '' then role_organization_id in (-1, organization_id)
            else role_feature_instance_id = feature_instance_id
        end)
);
create index feature_access_roles_role_id on authz.feature_access_roles (role_id);
create index feature_access_roles_feature_instance_id
    on authz.feature_access_roles (feature_instance_id);

comment on table authz.feature_access_roles is
    'Roles on a feature access: global ones, those of its feature instance, and those'
    ' of the organization of that instance.';
comment on column authz.feature_access_roles.feature_access_id is 'The feature access.';
comment on column authz.feature_access_roles.role_id is 'The role.';
comment on column authz.feature_access_roles.feature_instance_id is
    'Kept by the database: the instance of the feature access.';
comment on column authz.feature_access_roles.organization_id is
    'Kept by the database: the organization of that instance.';
comment on column authz.feature_access_roles.role_organization_id is
    'Kept by the database: the role''s scope_organization_id.';
comment on column authz.feature_access_roles.role_feature_instance_id is
    'Kept by the database: the role''s scope_feature_instance_id.';

create function authz.fill_membership_role() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    held authz.roles;
begin
    select * into held from authz.roles as r where r.id = new.role_id;
    new.role_organization_id := coalesce(held.scope_organization_id, -1);
    new.role_feature_instance_id := coalesce(held.scope_feature_instance_id, '');
    -- A membership that does not exist is left to its foreign key, so that the check
    -- does not blame the role.
    new.organization_id := coalesce(
        (select m.parent_principal_id from authz.principal_memberships as m
         where m.id = new.membership_id),
        new.role_organization_id);
    return new;
end
$function$;
comment on function authz.fill_membership_role() is
    'Fills in what authz.membership_roles keeps of both sides.';
create trigger fill before insert or update on authz.membership_roles
    for each row execute function authz.fill_membership_role();

create function authz.fill_feature_access_role() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $function$
declare
    held authz.roles;
begin
    select * into held from authz.roles as r where r.id = new.role_id;
    new.role_organization_id := coalesce(held.scope_organization_id, -1);
    new.role_feature_instance_id := coalesce(held.scope_feature_instance_id, '');
    select i.id, i.organization_id into new.feature_instance_id, new.organization_id
    from authz.feature_access as a
    join authz.feature_instances as i on i.id = a.feature_instance_id
    where a.id = new.feature_access_id;
    if not found then
        -- Left to the foreign key, as above.
        new.feature_instance_id := new.role_feature_instance_id;
        new.organization_id := new.role_organization_id;
    end if;
    return new;
end
$function$;
comment on function authz.fill_feature_access_role() is
    'Fills in what authz.feature_access_roles keeps of both sides.';
create trigger fill before insert or update on authz.feature_access_roles
    for each row execute function authz.fill_feature_access_role();
