-- The rows of a small platform with camel-case tables, as it writes them itself.
insert into public."Mandate" ("id", "mandateName", "language") values
    ('a0000000-0000-4000-8000-000000000001', 'Acme', 'de'),
    ('a0000000-0000-4000-8000-000000000002', 'Globex', 'en');

insert into public."UserInDB"
    ("id", "username", "language", "isPlatformAdmin", "enabled")
values
    ('b0000000-0000-4000-8000-000000000001', 'ann', 'de', false, true),
    ('b0000000-0000-4000-8000-000000000002', 'bob', 'en', false, true);

insert into public."UserMandate" ("id", "userId", "mandateId", "enabled") values
    ('c0000000-0000-4000-8000-000000000001',
    'b0000000-0000-4000-8000-000000000001',
    'a0000000-0000-4000-8000-000000000001', true),
    ('c0000000-0000-4000-8000-000000000002',
    'b0000000-0000-4000-8000-000000000002',
    'a0000000-0000-4000-8000-000000000001', true);

insert into public."Role" ("id", "roleLabel", "mandateId", "featureInstanceId") values
    ('role-admin', 'admin', null, null),
    ('role-viewer', 'viewer', null, null),
    ('role-trustee', 'trustee', null, 'trustee-1');

insert into public."UserMandateRole" ("userMandateId", "roleId") values
    ('c0000000-0000-4000-8000-000000000001', 'role-admin'),
    ('c0000000-0000-4000-8000-000000000002', 'role-viewer');

insert into public."FeatureInstance" ("id", "mandateId", "label", "enabled") values
    ('trustee-1', 'a0000000-0000-4000-8000-000000000001', 'Trustee', true);

insert into public."FeatureAccess" ("id", "userId", "featureInstanceId", "enabled")
values ('access-1', 'b0000000-0000-4000-8000-000000000002', 'trustee-1', true);

insert into public."FeatureAccessRole" ("featureAccessId", "roleId")
values ('access-1', 'role-trustee');

insert into public."AccessRule"
    ("id", "roleId", "context", "item", "view", "read", "create", "update", "delete")
values
    ('rule-1', 'role-admin', 'DATA', null, true, 'a', 'a', 'a', 'a'),
    ('rule-2', 'role-viewer', 'DATA', null, true, 'g', 'n', 'n', 'n'),
    ('rule-3', 'role-trustee', 'DATA', 'trustee', true, 'g', 'm', 'm', 'n');
