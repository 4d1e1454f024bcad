-- A million memberships as a platform like GPUStack writes them, and what belongs to
-- them. Its triggers do not fire meanwhile: they cost time and nobody listens.
set synchronous_commit = off;

-- 5,000 organizations, 20,000 groups, 200,000 users' own.
insert into public.principals (id, kind, name)
select n, 'ORG', 'organization ' || n from generate_series(1, 5000) as n;
insert into public.principals (id, kind, parent_principal_id)
select 10000 + n, 'GROUP', 1 + n % 5000 from generate_series(1, 20000) as n;
insert into public.principals (id, kind, name)
select 100000 + n, 'USER', 'user ' || n from generate_series(1, 200000) as n;
insert into public.users (id, principal_id, username, is_admin, is_system, is_active)
select n, 100000 + n, 'user ' || n, false, false, true
from generate_series(1, 200000) as n;

-- Each user in three organizations and two groups.
insert into public.principal_memberships
    (id, member_principal_id, parent_principal_id, role, enabled)
select n + 1, 100001 + n % 200000,
    case when n / 200000 < 3
        then 1 + (n % 200000 * 7 + n / 200000 * 1237) % 5000
        else 10001 + (n % 200000 * 3 + n / 200000 * 977) % 20000
    end, 'USER', true
from generate_series(0, 999999) as n;

insert into public.cluster_access (cluster_id, principal_id)
select n, 1 + n % 5000 from generate_series(1, 20000) as n
union all
select n, 10001 + n % 20000 from generate_series(1, 40000) as n;
insert into public.api_keys (id, user_id, access_key, hashed_secret_key)
select n, n, md5(n::text), '$argon2id$' || n from generate_series(1, 20000) as n;
insert into public.clusters (id, owner_principal_id)
select n, 1 + n % 5000 from generate_series(1, 30000) as n;
insert into public.workers (id, owner_principal_id, cluster_id)
select n, 1 + n % 5000, 1 + n % 30000 from generate_series(1, 60000) as n;
insert into public.models (id, owner_principal_id)
select n, 1 + n % 5000 from generate_series(1, 60000) as n;

insert into authz.feature_instances (id, organization_id)
select 'instance-' || n, 1 + n % 5000 from generate_series(1, 20000) as n;
insert into authz.roles (id, label, organization_id)
select 'role-' || n, 'role', 1 + n % 5000 from generate_series(1, 20000) as n;
insert into authz.access_rules (id, role_id, context, item, view, read)
select 'rule-' || n, 'role-' || 1 + n % 20000, 'DATA', 'item' || n, true, 'a'
from generate_series(1, 100000) as n;
insert into authz.membership_roles (membership_id, role_id)
select n, 'role-' || 1 + n % 20000 from generate_series(1, 100000) as n;
insert into authz.feature_access (id, user_id, feature_instance_id)
select 'access-' || n, n, 'instance-' || 1 + n % 20000
from generate_series(1, 50000) as n;
insert into authz.feature_access_roles (feature_access_id, role_id)
select 'access-' || n, 'role-' || 1 + n % 20000 from generate_series(1, 50000) as n;
analyze;
