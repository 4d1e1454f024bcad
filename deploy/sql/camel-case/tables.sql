-- What such a platform has no tables for: clusters and other resources, grants, API
-- keys. The sidecar's own tables stand in for them, empty until somebody fills them.
-- Their ids are of whatever type the platform's are, uuid or text: that is why they are
-- made from its tables, without a row. Once the platform has tables for one of these,
-- drop it here and create a view of its name.

create table authz.cluster_access as
select "id" as cluster_id, "id" as principal_id from public."Mandate" with no data;
alter table authz.cluster_access add primary key (principal_id, cluster_id);

create table authz.api_keys as
select "id" as id, "id" as user_id, ''::text as lookup_id, ''::text as secret_hash,
    "id" as owner_principal_id, null::timestamptz as expires_at,
    null::timestamptz as revoked_at
from public."UserInDB" with no data;
alter table authz.api_keys
    add primary key (id),
    add unique (lookup_id),
    alter user_id set not null,
    alter lookup_id set not null,
    alter secret_hash set not null,
    add check (lookup_id <> '' and position('_' in lookup_id) = 0),
    add check (secret_hash ~ '^(sha256:[0-9a-f]{64}$|\$argon2)');

create table authz.resources as
select ''::text as kind, "id" as id, "id" as owner_principal_id, "id" as cluster_id,
    null::timestamptz as deleted_at
from public."Mandate" with no data;
alter table authz.resources
    add primary key (kind, id),
    add check (kind <> '');

call authz.watch('authz.cluster_access', 'grants', 'cluster_id, principal_id',
    'principal_id');
call authz.watch('authz.api_keys', 'api_key',
    'id, user_id, lookup_id, secret_hash, owner_principal_id, expires_at, revoked_at',
    'lookup_id');
call authz.watch('authz.resources', 'resource',
    'kind, id, owner_principal_id, cluster_id, deleted_at', $$kind || '/' || id$$);

grant select on authz.cluster_access, authz.api_keys, authz.resources to authz_reader;
