-- Two roles, with no more rights than their work needs:
--
--   authz_reader    serves: reads the relations of schema authz, listens and notifies
--   authz_migrator  migrates: owns schema authz and what migrations make in it
--
-- Neither gets a right on the platform's own tables. Run this once in each database,
-- before the first migration, as a superuser or as the owner of the database with
-- CREATEROLE; running it again does no harm. No password is set: set one, or let
-- pg_hba.conf decide.

do $roles$
declare
    missing text;
begin
    for missing in
        select name from unnest(array['authz_reader', 'authz_migrator']) as name
        where not exists (select from pg_roles where rolname = name)
    loop
        execute format('create role %I login', missing);
    end loop;

    execute format('grant connect on database %I to authz_reader, authz_migrator',
        current_database());
    -- The first migration creates schema authz if it is not there, and PostgreSQL asks
    -- for this right before it looks. It may be revoked after that migration.
    execute format('grant create on database %I to authz_migrator', current_database());

    -- Whoever is no superuser must be able to act as the role that owns the schema.
    if not (select rolsuper from pg_roles where rolname = current_user) then
        execute format('grant authz_migrator to %I', current_user);
    end if;
end
$roles$;

create schema if not exists authz authorization authz_migrator;
grant usage on schema authz to authz_reader;

-- What is there, and what the migrator makes from now on. LISTEN and NOTIFY need no
-- right, and the functions of schema authz are anyone's who may use the schema.
grant select on all tables in schema authz to authz_reader;
alter default privileges for role authz_migrator in schema authz
    grant select on tables to authz_reader;
