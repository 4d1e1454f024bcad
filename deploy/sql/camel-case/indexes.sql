-- The indexes by which the sidecar finds rows, beyond the primary keys on "id", which
-- such a platform has. One that is there under another name makes its line here
-- needless. Writes wait while an index is built; on large tables write `create index
-- concurrently`, each outside of a transaction.

create index if not exists authz_memberships_of_user
    on public."UserMandate" ("userId", "mandateId");
create index if not exists authz_roles_of_membership
    on public."UserMandateRole" ("userMandateId");
create index if not exists authz_rules_of_role on public."AccessRule" ("roleId");
create index if not exists authz_access_of_user
    on public."FeatureAccess" ("userId", "featureInstanceId");
create index if not exists authz_roles_of_access
    on public."FeatureAccessRole" ("featureAccessId");
