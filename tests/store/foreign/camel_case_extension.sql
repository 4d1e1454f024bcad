-- What the tests need beyond the nine tables: principals of users and groups, org roles
-- in a column, clusters, keys and log-ins of the platform's own. Applied on top of what
-- deploy/ ships for it. Organizations and memberships are in two tables each, which the
-- views put together.

create table public."Party" (
    "id" uuid not null,
    "partyKind" text,
    "displayName" text,
    "mandateId" uuid,
    "deletedAt" double precision
);
create index on public."Party" ("id");
create index on public."Party" ("mandateId");

alter table public."UserInDB"
    add "partyId" uuid,
    add "isServiceAccount" boolean;
create index on public."UserInDB" ("partyId");

alter table public."UserMandate"
    add "partyId" uuid,
    add "orgRole" text,
    add "deletedAt" double precision;
create index on public."UserMandate" ("partyId", "mandateId");

create table public."UserLogin" ("authority" text, "externalId" text, "userId" uuid);
create index on public."UserLogin" ("authority", "externalId");

create table public."GroupMember" (
    "id" uuid not null,
    "partyId" uuid,
    "groupId" uuid,
    "groupRole" text,
    "enabled" boolean,
    "deletedAt" double precision
);
create index on public."GroupMember" ("id");
create index on public."GroupMember" ("partyId", "groupId");

create table public."ClusterGrant" ("clusterId" uuid, "partyId" uuid);
create index on public."ClusterGrant" ("partyId");

create table public."ApiKey" (
    "id" uuid not null,
    "userId" uuid,
    "lookupId" text,
    "secretHash" text,
    "ownerId" uuid,
    "expiresAt" double precision,
    "revokedAt" double precision
);
create index on public."ApiKey" ("lookupId");

create table public."Resource" (
    "resourceType" text not null,
    "id" uuid not null,
    "ownerId" uuid,
    "clusterId" uuid,
    "deletedAt" double precision
);
create index on public."Resource" ("resourceType", "id");

create or replace view authz.principals as
select "id" as id, 'org'::text as kind, "mandateName" as name,
    null::uuid as parent_principal_id, to_timestamp("deletedAt") as deleted_at
from public."Mandate"
union all
select "id", "partyKind", "displayName", "mandateId", to_timestamp("deletedAt")
from public."Party";

create or replace view authz.users as
select "id" as id, "partyId" as principal_id, "username" as name,
    "isPlatformAdmin" as is_admin, "isServiceAccount" as is_system,
    "enabled" as is_active
from public."UserInDB";

create view authz.user_identities as
select "authority" as issuer, "externalId" as subject, "userId" as user_id
from public."UserLogin";

create or replace view authz.principal_memberships as
select "id" as id, "partyId" as member_principal_id,
    "mandateId" as parent_principal_id, "orgRole" as role, "enabled" as enabled,
    to_timestamp("deletedAt") as deleted_at
from public."UserMandate"
union all
select "id", "partyId", "groupId", "groupRole", "enabled", to_timestamp("deletedAt")
from public."GroupMember";

drop table authz.cluster_access, authz.api_keys, authz.resources;

create view authz.cluster_access as
select "clusterId" as cluster_id, "partyId" as principal_id
from public."ClusterGrant";

create view authz.api_keys as
select "id" as id, "userId" as user_id, "lookupId" as lookup_id,
    "secretHash" as secret_hash, "ownerId" as owner_principal_id,
    to_timestamp("expiresAt") as expires_at, to_timestamp("revokedAt") as revoked_at
from public."ApiKey";

create view authz.resources as
select "resourceType" as kind, "id" as id, "ownerId" as owner_principal_id,
    "clusterId" as cluster_id, to_timestamp("deletedAt") as deleted_at
from public."Resource";

-- Of the triggers that deploy/ ships, those that these views need no longer.
call authz.unwatch('public."UserInDB"');
call authz.unwatch('public."UserMandateRole"');
call authz.unwatch('public."Role"');

call authz.watch('public."Party"', 'principal',
    '"id", "partyKind", "displayName", "mandateId", "deletedAt"',
    '"id"', '"mandateId"');
call authz.watch('public."UserInDB"', 'user',
    '"id", "partyId", "isPlatformAdmin", "isServiceAccount", "enabled"', '"id"');
call authz.watch('public."UserLogin"', 'identity',
    '"authority", "externalId", "userId"',
    $$encode(sha256(convert_to("authority" || chr(31) || "externalId", 'UTF8')),
        'hex')$$);
call authz.watch('public."UserMandate"', 'member',
    '"id", "partyId", "mandateId", "orgRole", "enabled", "deletedAt"', '"partyId"');
call authz.watch('public."GroupMember"', 'member',
    '"id", "partyId", "groupId", "groupRole", "enabled", "deletedAt"', '"partyId"');
call authz.watch('public."ClusterGrant"', 'grants', '"clusterId", "partyId"',
    '"partyId"');
call authz.watch('public."ApiKey"', 'api_key',
    '"id", "userId", "lookupId", "secretHash", "ownerId", "expiresAt", "revokedAt"',
    '"lookupId"');
call authz.watch('public."Resource"', 'resource',
    '"resourceType", "id", "ownerId", "clusterId", "deletedAt"',
    $$"resourceType" || '/' || "id"$$);
call authz.watch('public."Role"', 'role',
    '"id", "roleLabel", "mandateId", "featureInstanceId"', '"id"');
call authz.watch('public."UserMandateRole"', 'membership_roles',
    '"userMandateId", "roleId"', '"userMandateId"');

grant select on authz.user_identities, authz.cluster_access, authz.api_keys,
    authz.resources to authz_reader;
