-- A platform whose tables have quoted camel-case names. Ids are uuids, those of roles
-- and features text; times are seconds since 1970; an organization is a mandate. It has
-- organizations and memberships in two tables each, which the views put together.
-- Needs the change functions, and hardly any constraint, so that tests can store what
-- is malformed.

create table public."Mandate" (
    "id" uuid not null,
    "mandateName" text,
    "language" text,
    "deletedAt" double precision
);
create index on public."Mandate" ("id");

create table public."Party" (
    "id" uuid not null,
    "partyKind" text,
    "displayName" text,
    "mandateId" uuid,
    "deletedAt" double precision
);
create index on public."Party" ("id");
create index on public."Party" ("mandateId");

create table public."UserInDB" (
    "id" uuid not null,
    "partyId" uuid,
    "username" text,
    "isPlatformAdmin" boolean,
    "isServiceAccount" boolean,
    "enabled" boolean,
    "passwordHash" text
);
create index on public."UserInDB" ("id");
create index on public."UserInDB" ("partyId");

create table public."UserLogin" ("authority" text, "externalId" text, "userId" uuid);
create index on public."UserLogin" ("authority", "externalId");

create table public."UserMandate" (
    "id" uuid not null,
    "partyId" uuid,
    "mandateId" uuid,
    "orgRole" text,
    "enabled" boolean,
    "deletedAt" double precision
);
create index on public."UserMandate" ("id");
create index on public."UserMandate" ("partyId", "mandateId");

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

create table public."FeatureInstance" (
    "id" text not null,
    "mandateId" uuid,
    "enabled" boolean
);
create index on public."FeatureInstance" ("id");

create table public."Role" (
    "id" text not null,
    "roleLabel" text,
    "description" jsonb,
    "mandateId" uuid,
    "featureInstanceId" text
);
create index on public."Role" ("id");

create table public."AccessRule" (
    "id" text not null,
    "roleId" text,
    "context" text,
    "item" text,
    "view" boolean,
    "read" text,
    "create" text,
    "update" text,
    "delete" text
);
create index on public."AccessRule" ("roleId");

create table public."UserMandateRole" ("userMandateId" uuid, "roleId" text);
create index on public."UserMandateRole" ("userMandateId");

create table public."FeatureAccess" (
    "id" text not null,
    "userId" uuid,
    "featureInstanceId" text,
    "enabled" boolean
);
create index on public."FeatureAccess" ("id");
create index on public."FeatureAccess" ("userId", "featureInstanceId");

create table public."FeatureAccessRole" ("featureAccessId" text, "roleId" text);
create index on public."FeatureAccessRole" ("featureAccessId");

create view authz.principals as
select "id" as id, 'org'::text as kind, "mandateName" as name,
    null::uuid as parent_principal_id, to_timestamp("deletedAt") as deleted_at
from public."Mandate"
union all
select "id", "partyKind", "displayName", "mandateId", to_timestamp("deletedAt")
from public."Party";

create view authz.users as
select "id" as id, "partyId" as principal_id, "username" as name,
    "isPlatformAdmin" as is_admin, "isServiceAccount" as is_system,
    "enabled" as is_active
from public."UserInDB";

create view authz.user_identities as
select "authority" as issuer, "externalId" as subject, "userId" as user_id
from public."UserLogin";

create view authz.principal_memberships as
select "id" as id, "partyId" as member_principal_id,
    "mandateId" as parent_principal_id, "orgRole" as role, "enabled" as enabled,
    to_timestamp("deletedAt") as deleted_at
from public."UserMandate"
union all
select "id", "partyId", "groupId", "groupRole", "enabled", to_timestamp("deletedAt")
from public."GroupMember";

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

create view authz.feature_instances as
select "id" as id, "mandateId" as organization_id, "enabled" as enabled
from public."FeatureInstance";

create view authz.roles as
select "id" as id, "roleLabel" as label, "mandateId" as organization_id,
    "featureInstanceId" as feature_instance_id
from public."Role";

create view authz.access_rules as
select "id" as id, "roleId" as role_id, "context" as context, "item" as item,
    "view" as view, "read" as read, "create" as "create", "update" as update,
    "delete" as delete
from public."AccessRule";

create view authz.membership_roles as
select "userMandateId" as membership_id, "roleId" as role_id
from public."UserMandateRole";

create view authz.feature_access as
select "id" as id, "userId" as user_id, "featureInstanceId" as feature_instance_id,
    "enabled" as enabled
from public."FeatureAccess";

create view authz.feature_access_roles as
select "featureAccessId" as feature_access_id, "roleId" as role_id
from public."FeatureAccessRole";

call authz.watch('public."Mandate"', 'principal', '"id", "mandateName", "deletedAt"',
    '"id"');
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
call authz.watch('public."FeatureInstance"', 'instance',
    '"id", "mandateId", "enabled"', '"id"');
call authz.watch('public."Role"', 'role',
    '"id", "roleLabel", "mandateId", "featureInstanceId"', '"id"');
call authz.watch('public."AccessRule"', 'role',
    '"id", "roleId", "context", "item", "view", "read", "create", "update", "delete"',
    '"roleId"');
call authz.watch('public."UserMandateRole"', 'membership_roles',
    '"userMandateId", "roleId"', '"userMandateId"');
call authz.watch('public."FeatureAccess"', 'access',
    '"id", "userId", "featureInstanceId", "enabled"',
    $$"userId" || '/' || "featureInstanceId"$$);
call authz.watch('public."FeatureAccessRole"', 'access_roles',
    '"featureAccessId", "roleId"', '"featureAccessId"');
