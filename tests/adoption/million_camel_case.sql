-- A million memberships as a platform with camel-case tables writes them, and what
-- belongs to them. Its triggers do not fire meanwhile: nobody listens.
set synchronous_commit = off;

create function pg_temp.id(n bigint) returns uuid language sql immutable
return lpad(to_hex(n), 32, '0')::uuid;

insert into public."Mandate" ("id", "mandateName")
select pg_temp.id(n), 'mandate ' || n from generate_series(1, 20000) as n;
insert into public."UserInDB" ("id", "username", "isPlatformAdmin", "enabled")
select pg_temp.id(100000 + n), 'user ' || n, false, true
from generate_series(1, 200000) as n;

-- Each user in five mandates, with a role in each; one role in a hundred is an admin's.
insert into public."UserMandate" ("id", "userId", "mandateId", "enabled")
select pg_temp.id(n), pg_temp.id(100001 + n % 200000),
    pg_temp.id(1 + (n % 200000 * 7 + n / 200000 * 1237) % 20000), true
from generate_series(0, 999999) as n;
insert into public."Role" ("id", "roleLabel")
select 'role-' || n, case n % 100 when 0 then 'Admin' else 'role' end
from generate_series(1, 20000) as n;
insert into public."UserMandateRole" ("userMandateId", "roleId")
select pg_temp.id(n), 'role-' || 1 + n % 20000 from generate_series(0, 999999) as n;
insert into public."AccessRule" ("id", "roleId", "context", "item", "view", "read")
select 'rule-' || n, 'role-' || 1 + n % 20000, 'DATA', 'item' || n, true, 'a'
from generate_series(1, 100000) as n;
insert into public."FeatureInstance" ("id", "mandateId", "enabled")
select 'instance-' || n, pg_temp.id(1 + n % 20000), true
from generate_series(1, 20000) as n;
insert into public."FeatureAccess" ("id", "userId", "featureInstanceId", "enabled")
select 'access-' || n, pg_temp.id(100000 + n), 'instance-' || 1 + n % 20000, true
from generate_series(1, 50000) as n;
insert into public."FeatureAccessRole" ("featureAccessId", "roleId")
select 'access-' || n, 'role-' || 1 + n % 20000 from generate_series(1, 50000) as n;

insert into authz.cluster_access (cluster_id, principal_id)
select pg_temp.id(n), pg_temp.id(1 + n % 20000) from generate_series(1, 60000) as n;
insert into authz.api_keys (id, user_id, lookup_id, secret_hash)
select pg_temp.id(n), pg_temp.id(100000 + n), md5(n::text),
    'sha256:' || repeat('0', 64)
from generate_series(1, 20000) as n;
insert into authz.resources (kind, id, owner_principal_id)
select (array['cluster', 'worker', 'model'])[1 + n % 3], pg_temp.id(n),
    pg_temp.id(1 + n % 20000)
from generate_series(1, 100000) as n;
analyze;
