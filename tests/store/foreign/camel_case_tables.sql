-- The nine tables of a platform with quoted camel-case names, as it writes them itself:
-- ids are uuids, those of roles and features text; times are seconds since 1970; an
-- organization is a mandate. Indexes stand where its primary keys are, without
-- uniqueness, so that tests can store what is malformed.

create table public."Mandate" (
    "id" uuid not null,
    "mandateName" text,
    "language" text,
    "deletedAt" double precision
);
create index on public."Mandate" ("id");

create table public."UserInDB" (
    "id" uuid not null,
    "username" text,
    "language" text,
    "isPlatformAdmin" boolean,
    "enabled" boolean,
    "passwordHash" text
);
create index on public."UserInDB" ("id");

create table public."UserMandate" (
    "id" uuid not null,
    "userId" uuid,
    "mandateId" uuid,
    "enabled" boolean
);
create index on public."UserMandate" ("id");

create table public."FeatureInstance" (
    "id" text not null,
    "mandateId" uuid,
    "label" text,
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
create index on public."AccessRule" ("id");

create table public."UserMandateRole" ("userMandateId" uuid, "roleId" text);

create table public."FeatureAccess" (
    "id" text not null,
    "userId" uuid,
    "featureInstanceId" text,
    "enabled" boolean
);
create index on public."FeatureAccess" ("id");

create table public."FeatureAccessRole" ("featureAccessId" text, "roleId" text);
