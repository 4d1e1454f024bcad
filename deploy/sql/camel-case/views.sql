-- Views over a platform whose tables have quoted camel-case names, in schema public.
-- Its organizations are mandates. What is assumed of it, and where to change it:
--
--   * A user has no principal of its own: the user's id is the id of both, and so never
--     the id of a mandate too. (principals, users)
--   * Who administers an organization: a membership is that of an `admin` if it has a
--     role with the label `admin` that is global or of this mandate; every other
--     membership is that of a `user`. The condition is in principal_memberships, and
--     triggers.sql knows the label too. If a column says it instead, say in its place,
--     for example, `lower(m."orgRole")`, and leave the two triggers of roles out.
--   * There are no groups, no service accounts, and a membership ends by being disabled
--     or removed.
--   * Times are seconds since 1970.
--
-- Run it as the owner of the tables: a view reads them with its owner's rights, so that
-- authz_reader needs none. Ids stay as they are, uuid or text, so that the tables'
-- indexes serve.

-- Null, in the type of the ids, is written as a condition that never holds.
create or replace view authz.principals as
select "id" as id, 'org'::text as kind, "mandateName" as name,
    case when false then "id" end as parent_principal_id,
    to_timestamp("deletedAt") as deleted_at
from public."Mandate"
union all
select "id", 'user', "username", case when false then "id" end, null
from public."UserInDB";

create or replace view authz.users as
select "id" as id, "id" as principal_id, "username" as name,
    "isPlatformAdmin" as is_admin, false as is_system, "enabled" as is_active
from public."UserInDB";

create or replace view authz.principal_memberships as
select m."id" as id, m."userId" as member_principal_id,
    m."mandateId" as parent_principal_id,
    case
        when exists (
            select from public."UserMandateRole" as a
            join public."Role" as r on r."id" = a."roleId"
            where a."userMandateId" = m."id" and lower(r."roleLabel") = 'admin'
                and r."featureInstanceId" is null
                and (r."mandateId" is null or r."mandateId" = m."mandateId"))
        then 'admin' else 'user'
    end as role,
    m."enabled" as enabled, null::timestamptz as deleted_at
from public."UserMandate" as m;

create or replace view authz.feature_instances as
select "id" as id, "mandateId" as organization_id, "enabled" as enabled
from public."FeatureInstance";

create or replace view authz.roles as
select "id" as id, "roleLabel" as label, "mandateId" as organization_id,
    "featureInstanceId" as feature_instance_id
from public."Role";

create or replace view authz.access_rules as
select "id" as id, "roleId" as role_id, "context" as context, "item" as item,
    "view" as view, "read" as read, "create" as "create", "update" as update,
    "delete" as delete
from public."AccessRule";

create or replace view authz.membership_roles as
select "userMandateId" as membership_id, "roleId" as role_id
from public."UserMandateRole";

create or replace view authz.feature_access as
select "id" as id, "userId" as user_id, "featureInstanceId" as feature_instance_id,
    "enabled" as enabled
from public."FeatureAccess";

create or replace view authz.feature_access_roles as
select "featureAccessId" as feature_access_id, "roleId" as role_id
from public."FeatureAccessRole";

grant select on authz.principals, authz.users, authz.principal_memberships,
    authz.feature_instances, authz.roles, authz.access_rules, authz.membership_roles,
    authz.feature_access, authz.feature_access_roles to authz_reader;
