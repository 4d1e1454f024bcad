-- Each relation calls an id by a type of its own, in a schema of another name.
create schema "my ""own""";
set search_path = "my ""own""";
create table principals (id bigint, kind varchar, name text,
    parent_principal_id text, deleted_at date);
create table users (id integer, principal_id text, name text, is_admin bool,
    is_system bool, is_active bool);
create table principal_memberships (id integer, member_principal_id varchar,
    parent_principal_id integer, role text, enabled bool, deleted_at date);
create table cluster_access (cluster_id text, principal_id integer);
create table api_keys (id uuid, user_id integer, lookup_id varchar,
    secret_hash text, owner_principal_id text, expires_at date, revoked_at date);
create table resources (kind text, id uuid, owner_principal_id text,
    cluster_id text, deleted_at date);
create table feature_instances (id uuid, organization_id text, enabled bool);
create table roles (id text, label text, organization_id integer,
    feature_instance_id text);
create table access_rules (id uuid, role_id varchar, context text, item text,
    view bool, read text, "create" text, update text, delete text);
create table membership_roles (membership_id text, role_id text);
create table feature_access (id integer, user_id bigint,
    feature_instance_id text, enabled bool);
create table feature_access_roles (feature_access_id text, role_id text);

insert into principals values (1, 'ORG', null, null), (3, 'USER', null, null),
    (5, 'GROUP', null, '1');
insert into users values (30, '3', null, false, false, true);
insert into principal_memberships values (31, '3', 1, 'ADMIN', true),
    (35, '3', 5, null, true);
insert into cluster_access values ('fifty', 5);
insert into membership_roles values ('31', 'r');
insert into feature_instances
    values ('00000000-0000-4000-8000-000000000001', '1', true);
insert into feature_access
    values (7, 30, '00000000-0000-4000-8000-000000000001', true);
insert into feature_access_roles values ('7', 'r');
