-- A small world with names, for the tests of administration. The key `annkey` has the
-- secret `ann-secret`.
insert into authz.principals (id, kind, name, parent_principal_id, deleted_at) values
    (1, 'org', 'Acme', null, null),
    (2, 'org', 'Beta', null, null),
    (4, 'org', 'Gone', null, '2026-01-31T12:00:00Z'),
    (5, 'group', 'Lab', 1, null),
    (101, 'user', 'Ann', null, null),
    (102, 'user', 'Ben', null, null),
    (103, 'user', 'Cleo', null, null),
    (104, 'user', 'Twin', null, null),
    (105, 'user', 'Twin', null, null),
    (106, 'user', 'Pia', null, null),
    (107, 'user', 'nobody', null, null);
insert into authz.users (id, principal_id, name, is_admin, is_active) values
    (10, 101, 'ann', false, true),
    (11, 102, 'ben', false, true),
    (12, 103, 'cleo', false, false),
    (13, 104, 'twin', false, true),
    (14, 105, 'twin', false, true),
    (15, 106, 'pia', true, true);
insert into authz.principal_memberships
    (id, member_principal_id, parent_principal_id, role, enabled) values
    (31, 101, 1, 'user', true),
    (32, 101, 2, 'admin', false),
    (33, 101, 5, null, true);
insert into authz.resources (kind, id, owner_principal_id) values
    ('cluster', 50, 2),
    ('cluster', 51, null),
    ('model', 52, 2);
insert into authz.cluster_access (cluster_id, principal_id) values (51, 1);
insert into authz.api_keys
    (id, user_id, lookup_id, secret_hash, owner_principal_id, expires_at, revoked_at)
values
    (60, 10, 'annkey',
     'sha256:' || encode(sha256('ann-secret'), 'hex'), 1, '2096-01-01T00:00:00Z', null),
    (61, 10, 'expired',
     'sha256:' || encode(sha256('other'), 'hex'), null, '2026-01-01T00:00:00Z', null),
    (62, 11, 'revoked',
     'sha256:' || encode(sha256('other'), 'hex'), null, null, '2026-01-01T00:00:00Z');
insert into authz.feature_instances (id, organization_id, enabled) values
    ('first', 1, true), ('second', 2, true), ('off', 1, false);
insert into authz.roles (id, label, organization_id, feature_instance_id) values
    ('reader', 'Reader', null, null),
    ('editor-1', 'Editor', 1, null),
    ('editor-2', 'Editor', 2, null),
    ('tuner', 'Tuner', null, 'first');
insert into authz.access_rules
    (id, role_id, context, item, view, read, "create", update, delete) values
    ('rule', 'reader', 'DATA', null, true, 'g', 'm', null, null),
    ('tune', 'tuner', 'UI', 'panel', true, null, null, null, null);
insert into authz.feature_access (id, user_id, feature_instance_id) values
    ('access', 10, 'first'), ('access-off', 10, 'off');
