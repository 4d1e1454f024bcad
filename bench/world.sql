-- A directory to measure with, in the reference schema. Its size is told by settings:
-- bench.users, bench.organizations, bench.memberships (of each user), bench.corner.
-- No keys of others are checked and no trigger fires: what is written here fits.
--
--   organizations     1 ...           two clusters are granted to each
--   users             1 ...           own principals from 10,000,001 on
--   workers           1 ... 100,000   looked up, owned and on clusters by turns
--   40,000,000 + g    a user in an organization to which g clusters are granted
--   45,000,000 + n    one of 1,000 users in that of the 10,000 clusters
--   50,000,000 + o    a user in o organizations
--   60,000,000 + 1000 r + n    a user who has n roles of r rules each
set session_replication_role = replica;
set synchronous_commit = off;
set maintenance_work_mem = '512MB';

create function pg_temp.size(name text) returns bigint
language sql stable as $$ select current_setting('bench.' || name)::bigint $$;

insert into authz.principals (id, kind, name)
select n, 'org', 'organization ' || n
from generate_series(1, pg_temp.size('organizations')) as n;
insert into authz.principals (id, kind, name)
select 10000000 + n, 'user', 'user ' || n
from generate_series(1, pg_temp.size('users')) as n;
insert into authz.users (id, principal_id, name)
select n, 10000000 + n, 'user-' || n
from generate_series(1, pg_temp.size('users')) as n;

-- A user's organizations are a step apart, so nobody is in one twice.
drop index authz.principal_memberships_one_active;
drop index authz.principal_memberships_member_principal_id;
drop index authz.principal_memberships_parent_principal_id;
insert into authz.principal_memberships
    (id, member_principal_id, parent_principal_id, role)
select place * u.users + n, 10000000 + n,
    1 + (n * 7919 + place * (u.organizations / u.each)) % u.organizations,
    case when n % 100 = 0 then 'admin' else 'user' end
from (select pg_temp.size('users') as users,
        pg_temp.size('organizations') as organizations,
        pg_temp.size('memberships') as each) as u,
    generate_series(1, u.users) as n, generate_series(0, u.each - 1) as place;

insert into authz.cluster_access (cluster_id, principal_id)
select 2 * n + k, n
from generate_series(1, pg_temp.size('organizations')) as n, generate_series(0, 1) as k;
insert into authz.resources (kind, id, owner_principal_id, cluster_id)
select 'worker', n, 1 + n % pg_temp.size('organizations'), 2 + n % 1000
from generate_series(1, 100000) as n;

-- By grants.
create temp table grants as
select g, 40000000 + g as id from unnest(array[1, 10, 100, 1000, 10000]) as g;
insert into authz.principals (id, kind, name)
select id, 'org', 'organization with ' || g || ' clusters' from grants
union all
select 1000000 + id, 'user', 'user of ' || g || ' clusters' from grants;
insert into authz.users (id, principal_id) select id, 1000000 + id from grants;
insert into authz.principal_memberships
    (id, member_principal_id, parent_principal_id, role)
select 2000000000 + g, 1000000 + id, id, 'user' from grants;
insert into authz.cluster_access (cluster_id, principal_id)
select n, id from grants, generate_series(1, g) as n;
insert into authz.principals (id, kind, name)
select 46000000 + n, 'user', 'another of 10000 clusters'
from generate_series(1, 1000) as n;
insert into authz.users (id, principal_id)
select 45000000 + n, 46000000 + n from generate_series(1, 1000) as n;
insert into authz.principal_memberships
    (id, member_principal_id, parent_principal_id, role)
select 2045000000 + n, 46000000 + n, 40010000, 'user'
from generate_series(1, 1000) as n;

-- By organizations.
create temp table belonging as
select o, 50000000 + o as id from unnest(array[1, 10, 100, 1000, 10000]) as o;
insert into authz.principals (id, kind, name)
select 1000000 + id, 'user', 'user in ' || o || ' organizations' from belonging;
insert into authz.users (id, principal_id) select id, 1000000 + id from belonging;
insert into authz.principal_memberships
    (id, member_principal_id, parent_principal_id, role)
select 2050000000 + 20000 * log(o)::bigint + n, 1000000 + id, n, 'user'
from belonging, generate_series(1, o) as n;

-- By roles and rules, all in one organization.
create temp table shapes as
select rules, case rules
        when 200 then 200 when 5000 then pg_temp.size('corner') else 20
    end as roles
from unnest(array[1, 10, 50, 200, 1000, 5000]) as rules;
create temp table holders as
select rules, roles, 60000000 + 1000 * rules + roles as id
from (select s.rules, n as roles
      from shapes as s, unnest(array[1, 5, 20, 50, 100, 200]) as n
      where n <= s.roles) as wanted;
insert into authz.principals (id, kind, name)
values (60000000, 'org', 'organization with roles');
insert into authz.principals (id, kind, name)
select 10000000 + id, 'user', 'user with roles' from holders;
insert into authz.users (id, principal_id) select id, 10000000 + id from holders;
insert into authz.principal_memberships
    (id, member_principal_id, parent_principal_id, role)
select 2000000000 + id, 10000000 + id, 60000000, 'user' from holders;
insert into authz.roles (id, label, scope_organization_id)
select 'role-' || rules || '-' || n, 'role ' || n, -1
from shapes, generate_series(1, roles) as n;
insert into authz.access_rules
    (id, role_id, context, item, view, read, "create", update, delete)
select 'rule-' || s.rules || '-' || n || '-' || k, 'role-' || s.rules || '-' || n,
    'DATA', 'app.part' || k % 50 || '.thing' || k, true,
    substr('mga', 1 + ((n + k) % 3)::int, 1), 'm', 'm', 'n'
from shapes as s, generate_series(1, s.roles) as n, generate_series(1, s.rules) as k;
insert into authz.membership_roles
    (membership_id, role_id, organization_id, role_organization_id,
     role_feature_instance_id)
select 2000000000 + h.id, 'role-' || h.rules || '-' || n, 60000000, -1, ''
from holders as h, generate_series(1, h.roles) as n;

create unique index principal_memberships_one_active
    on authz.principal_memberships (member_principal_id, parent_principal_id)
    where enabled and deleted_at is null;
create index principal_memberships_member_principal_id
    on authz.principal_memberships (member_principal_id);
create index principal_memberships_parent_principal_id
    on authz.principal_memberships (parent_principal_id);
set session_replication_role = origin;
analyze;
