-- Revisions: where in the history of this database a transaction is.

-- Where the number of the system may not be read, this names the database instead. It
-- travels with a dump, the number of the system does not.
do $seed$
begin
    execute format(
        'create function '
        'authz.history_seed() returns text language sql immutable'
        ' set search_path = pg_catalog, pg_temp as $$select %L::text$$',
        substr(md5(gen_random_uuid()::text), 1, 20));
end
$seed$;

comment on function authz.history_seed() is
    'Names this database where pg_control_system() may not be called.';

create function authz.history() returns text
language plpgsql stable
-- Every writer and every sidecar must get the same text, whatever each of them may
-- call, so the rights of the owner decide. It takes no argument and tells nothing else.
security definer
set search_path = pg_catalog, pg_temp
as $function$
declare
    system text;
begin
    if pg_is_in_recovery() then
        return null;
    end if;
    if has_function_privilege('pg_catalog.pg_control_system()', 'execute') then
        select system_identifier into system from pg_control_system();
    else
        system := authz.history_seed();
    end if;
    -- Of all that tells the timeline only the WAL's own position follows a promotion at
    -- once; the control file lags behind until the next checkpoint.
    return format('1.%s-%s.%s', system,
        (select oid from pg_database where datname = current_database()),
        ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int);
end
$function$;

comment on function authz.history() is
    'The line of this database''s life in which transaction numbers mean something:'
    ' the system, the database, the timeline. Null on a standby.';

create function authz.current_revision() returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $function$
begin
    -- In this order: a transaction that may not write fails before it gets a number.
    return format('%s.x%s', authz.history(), pg_current_xact_id());
end
$function$;

comment on function authz.current_revision() is
    'The revision of this transaction. A question that must be at least as fresh as it'
    ' never misses what the transaction commits.';
