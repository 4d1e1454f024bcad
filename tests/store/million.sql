-- A million memberships in the reference schema, and what belongs to them. No keys of
-- others are checked and no trigger fires: what is written here fits.
set session_replication_role = replica;
set synchronous_commit = off;

-- 5,000 organizations, 20,000 groups, 200,000 users' own.
insert into authz.principals (id, kind, name)
select n, 'org', 'organization ' || n from generate_series(1, 5000) as n;
insert into authz.principals (id, kind, parent_principal_id)
select 10000 + n, 'group', 1 + n % 5000 from generate_series(1, 20000) as n;
insert into authz.principals (id, kind, name)
select 100000 + n, 'user', 'user ' || n from generate_series(1, 200000) as n;
insert into authz.users (id, principal_id)
select n, 100000 + n from generate_series(1, 200000) as n;
insert into authz.user_identities (issuer, subject, user_id)
select 'https://issuer.example', 'subject-' || n, n
from generate_series(1, 50000) as n;

-- Each user in three organizations and two groups.
insert into authz.principal_memberships
    (id, member_principal_id, parent_principal_id, role)
select n, 100001 + n % 200000,
    case when n / 200000 < 3
        then 1 + (n % 200000 * 7 + n / 200000 * 1237) % 5000
        else 10001 + (n % 200000 * 3 + n / 200000 * 977) % 20000
    end, 'user'
from generate_series(0, 999999) as n;

insert into authz.cluster_access (cluster_id, principal_id)
select n, 1 + n % 5000 from generate_series(1, 20000) as n
union all
select n, 10001 + n % 20000 from generate_series(1, 40000) as n;
insert into authz.api_keys (id, user_id, lookup_id, secret_hash)
select n, n, md5(n::text), 'sha256:' || repeat('0', 64)
from generate_series(1, 20000) as n;
insert into authz.resources (kind, id, owner_principal_id)
select (array['cluster', 'worker', 'model'])[1 + n % 3], n, 1 + n % 5000
from generate_series(1, 100000) as n;

insert into authz.roles (id, label, organization_id, scope_organization_id)
select 'role-' || n, 'role', 1 + n % 5000, 1 + n % 5000
from generate_series(1, 20000) as n;
insert into authz.access_rules (id, role_id, context, item, view, read)
select 'rule-' || n, 'role-' || 1 + n % 20000, 'DATA', 'item' || n, true, 'a'
from generate_series(1, 100000) as n;
insert into authz.membership_roles
    (membership_id, role_id, organization_id, role_organization_id,
     role_feature_instance_id)
select n, 'role-' || 1 + n % 20000, 1, 1, '' from generate_series(0, 99999) as n;
insert into authz.feature_instances (id, organization_id)
select 'instance-' || n, 1 + n % 5000 from generate_series(1, 20000) as n;
insert into authz.feature_access (id, user_id, feature_instance_id)
select 'access-' || n, n, 'instance-' || 1 + n % 20000
from generate_series(1, 50000) as n;
insert into authz.feature_access_roles
    (feature_access_id, role_id, feature_instance_id, organization_id,
     role_organization_id, role_feature_instance_id)
select 'access-' || n, 'role-' || 1 + n % 20000, '', 1, 1, ''
from generate_series(1, 50000) as n;

set session_replication_role = origin;
analyze;
