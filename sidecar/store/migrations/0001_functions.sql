-- The change functions. They stand alone: a platform that keeps its own tables applies
-- this file only (and later ones named `*_functions.sql`), creates views of the
-- relations' names, and calls `authz.watch` once for each base table.

create schema if not exists authz;

create function authz.notify_change() returns trigger
language plpgsql
-- Whoever writes to a watched table runs this function, with whatever search_path they
-- have: nothing in it may resolve to an object of theirs.
set search_path = pg_catalog, pg_temp
as $function$
declare
    -- NOTIFY takes less than 8000 bytes. A key takes at least four of them in the
    -- payload, an empty one three, so 2001 keys never fit and are enough to know.
    payload_bytes constant int := 7900;
    keys_at_most constant int := 2001;
    group_name constant text := tg_argv[1];
    watched constant text := tg_argv[2];
    -- Bytes are compared, not meanings: a column whose collation takes `a` for `A`, or
    -- whose type knows no equality, must not hide a change or swallow a key.
    keys_of_row constant text := (
        select string_agg(format('(%s)::text collate "C"', expression), ', ')
        from unnest(tg_argv[3:]) as expression
    );
    query text;
    keys text[];
    payload text;
begin
    query := case tg_op
        when 'INSERT' then format(
            'select array[%s] as keys from authz_new', keys_of_row)
        when 'DELETE' then format(
            'select array[%s] as keys from authz_old', keys_of_row)
        -- What is left of both sides once equal rows have cancelled out. Each side is
        -- read once; EXCEPT ALL both ways gives the same rows and reads each twice.
        when 'UPDATE' then format(
            'select side.keys from ('
            ' select array[%1$s] as keys, row(%2$s)::text collate "C" as watched,'
            ' -1 as weight from authz_old'
            ' union all'
            ' select array[%1$s], row(%2$s)::text collate "C", 1 from authz_new'
            ') as side group by side.keys, side.watched having sum(side.weight) <> 0',
            keys_of_row, watched)
    end;

    if query is not null then
        begin
            execute format(
                'select array(select distinct each.key'
                ' from (%s) as changed, unnest(changed.keys) as each (key)'
                ' where each.key is not null limit %s)',
                query, keys_at_most) into keys;
        exception when others then
            -- A column was renamed or dropped under the trigger. The write is right and
            -- must not fail for it, a cached fact must not outlive it: drop the group.
            raise warning 'the change keys of % cannot be worked out, so all of group'
                ' `%` is dropped; call authz.watch again (%)',
                tg_relid::regclass, group_name, sqlerrm;
            keys := null;
        end;
        if cardinality(keys) = 0 then
            return null;
        end if;
    end if;

    payload := format('{"g":%s,"k":%s,"x":"%s"}',
        to_json(group_name), to_json(keys), pg_current_xact_id());
    if keys is null or octet_length(payload) > payload_bytes then
        payload := format('{"g":%s,"x":"%s"}',
            to_json(group_name), pg_current_xact_id());
    end if;
    perform pg_notify('authz_changes', payload);
    return null;
end
$function$;

comment on function authz.notify_change() is
    'Tells the sidecars which facts a statement changed. Arguments: version, group,'
    ' watched columns, key expressions. They are run as SQL with the rights of whoever'
    ' writes to the table, as every trigger is: they come from the owner of the table,'
    ' never from anyone else. Installed by authz.watch.';

create procedure authz.watch(
    relation regclass, grp text, columns text, variadic keys text[])
language plpgsql
set search_path = pg_catalog, pg_temp
as $procedure$
declare
    arguments text;
    suffix text := '';
    watcher record;
begin
    if not exists (
        select from pg_class where oid = relation and relkind = 'r'
    ) or exists (
        select from pg_inherits where relation in (inhrelid, inhparent)
    ) then
        -- A statement that names a partition or a child fires none of the parent's
        -- triggers, so such a table would look watched and not be.
        raise exception '`%` is not an ordinary table without partitions or children',
            relation using errcode = 'wrong_object_type';
    end if;
    if grp is null or grp !~ '^[a-z][a-z_]{0,31}$' then
        raise exception 'a group is one to 32 lower-case letters and underscores,'
            ' not `%`', grp using errcode = 'invalid_parameter_value';
    end if;
    if columns is null or cardinality(keys) = 0
        or array_position(keys, null) is not null then
        raise exception 'columns and at least one key expression are needed'
            using errcode = 'invalid_parameter_value';
    end if;
    -- A wrong expression shows here, not at the platform's next write.
    execute format('select row(%s), array[%s] from %s limit 0', columns,
        (select string_agg(format('(%s)::text', expression), ', ')
         from unnest(keys) as expression), relation);

    for watcher in
        select tgname from pg_trigger
        where tgrelid = relation
            and tgfoid = 'authz.notify_change()'::regprocedure
            and split_part(encode(tgargs, 'escape'), '\000', 2) = grp
    loop
        execute format('drop trigger %I on %s', watcher.tgname, relation);
    end loop;
    if exists (
        select from pg_trigger
        where tgrelid = relation and tgname = 'authz_watch_insert'
    ) then
        suffix := '_' || grp;
    end if;

    select string_agg(quote_literal(argument), ', ') into arguments
    from unnest(array['1', grp, columns] || keys) as argument;
    for watcher in
        select event, format('authz_watch_%s%s', event, suffix) as name, tables
        from (values
            ('insert', 'referencing new table as authz_new'),
            ('update',
             'referencing old table as authz_old new table as authz_new'),
            ('delete', 'referencing old table as authz_old'),
            ('truncate', '')
        ) as events (event, tables)
    loop
        execute format(
            'create trigger %I after %s on %s %s'
            ' for each statement execute function authz.notify_change(%s)',
            watcher.name, watcher.event, relation, watcher.tables, arguments);
        -- A bulk load under session_replication_role = replica changes facts as well.
        execute format(
            'alter table %s enable always trigger %I', relation, watcher.name);
    end loop;
end
$procedure$;

comment on procedure authz.watch(regclass, text, text, text[]) is
    'Installs, or installs anew, the four triggers by which changes of a base table'
    ' drop the cached facts of a group. columns: the columns that the sidecar reads, as'
    ' a list of SQL expressions over the row. keys: one SQL expression for each key'
    ' that a row has in the group; null has none. Names other than those of columns and'
    ' of pg_catalog must carry their schema. Only the owner of the table may call it.';

create procedure authz.unwatch(relation regclass)
language plpgsql
set search_path = pg_catalog, pg_temp
as $procedure$
declare
    watcher name;
begin
    for watcher in
        select tgname from pg_trigger
        where tgrelid = relation
            and tgfoid = 'authz.notify_change()'::regprocedure
    loop
        execute format('drop trigger %I on %s', watcher, relation);
    end loop;
end
$procedure$;

comment on procedure authz.unwatch(regclass) is
    'Removes the triggers of authz.watch, of every group. Sidecars stop caching what'
    ' the table holds when they next check.';
