-- One row of everything at least, for the tests of the constraints.
insert into authz.principals (id, kind, parent_principal_id) values
    (1, 'org', null), (2, 'org', null), (3, 'user', null), (4, 'user', null),
    (5, 'group', 1);
insert into authz.users (id, principal_id) values (30, 3);
insert into authz.user_identities values ('issuer', 'subject', 30);
insert into authz.principal_memberships
    (id, member_principal_id, parent_principal_id, role)
    values (31, 3, 1, 'user'), (35, 3, 5, null), (32, 4, 2, null);
insert into authz.cluster_access values (50, 1);
insert into authz.api_keys (id, user_id, lookup_id, secret_hash)
    values (60, 30, 'key', '{sha}');
insert into authz.resources values ('model', 70, 1, null, null);
insert into authz.feature_instances (id, organization_id)
    values ('first', 1), ('second', 2), ('third', 1);
insert into authz.roles (id, organization_id, feature_instance_id) values
    ('global', null, null), ('of-1', 1, null), ('of-2', 2, null),
    ('of-first', null, 'first'), ('of-second', 2, 'second'),
    ('of-third', 1, 'third'), ('free', null, null);
insert into authz.access_rules (id, role_id, context, item, read)
    values ('rule', 'global', 'DATA', null, 'g'),
    ('item', 'global', 'DATA', 'a.b', 'g');
insert into authz.membership_roles values
    (31, 'global'), (31, 'of-1'), (31, 'of-first'), (32, 'of-2'), (32, 'of-second');
insert into authz.feature_access (id, user_id, feature_instance_id)
    values ('access', 30, 'first');
insert into authz.feature_access_roles values
    ('access', 'global'), ('access', 'of-1'), ('access', 'of-first');
