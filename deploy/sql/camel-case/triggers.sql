-- Which change of the platform's tables drops which facts. Run it as the owner of the
-- tables, after every change of views.sql, and after a column was renamed.

call authz.watch('public."Mandate"', 'principal', '"id", "mandateName", "deletedAt"',
    '"id"');
-- A row of a user is two facts: the user, and the user's principal.
call authz.watch('public."UserInDB"', 'principal', '"id", "username"', '"id"');
call authz.watch('public."UserInDB"', 'user', '"id", "isPlatformAdmin", "enabled"',
    '"id"');
call authz.watch('public."UserMandate"', 'member',
    '"id", "userId", "mandateId", "enabled"', '"userId"');

-- The role of a membership is worked out from the roles assigned to it. Whoever assigns
-- one must be able to read "UserMandate", or all of the group is dropped each time.
call authz.watch('public."UserMandateRole"', 'member', '"userMandateId", "roleId"',
    $$(select m."userId" from public."UserMandate" as m
       where m."id" = "userMandateId")$$);
-- Which memberships a role makes to those of an admin is not in its row. A key too long
-- for a notification drops the group as a whole.
call authz.watch('public."Role"', 'member',
    '"id", "roleLabel", "mandateId", "featureInstanceId"',
    $$case when lower("roleLabel") = 'admin' then repeat('*', 8000) end$$);

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
