-- Which change drops which facts. Columns that no answer depends on are not watched.

call authz.watch('authz.principals', 'principal',
    'id, kind, name, parent_principal_id, deleted_at', 'id', 'parent_principal_id');
call authz.watch('authz.users', 'user',
    'id, principal_id, is_admin, is_system, is_active', 'id');
call authz.watch('authz.user_identities', 'identity', 'issuer, subject, user_id',
    $$encode(sha256(convert_to(issuer || chr(31) || subject, 'UTF8')), 'hex')$$);
call authz.watch('authz.principal_memberships', 'member',
    'id, member_principal_id, parent_principal_id, role, enabled, deleted_at',
    'member_principal_id');
call authz.watch('authz.cluster_access', 'grants',
    'cluster_id, principal_id', 'principal_id');
call authz.watch('authz.api_keys', 'api_key',
    'id, user_id, lookup_id, secret_hash, owner_principal_id, expires_at, revoked_at',
    'lookup_id');
call authz.watch('authz.resources', 'resource',
    'kind, id, owner_principal_id, cluster_id, deleted_at', $$kind || '/' || id$$);
call authz.watch('authz.feature_instances', 'instance',
    'id, organization_id, enabled', 'id');
call authz.watch('authz.roles', 'role',
    'id, label, organization_id, feature_instance_id', 'id');
call authz.watch('authz.access_rules', 'role',
    'id, role_id, context, item, view, read, "create", update, delete', 'role_id');
call authz.watch('authz.membership_roles', 'membership_roles',
    'membership_id, role_id', 'membership_id');
call authz.watch('authz.feature_access', 'access',
    'id, user_id, feature_instance_id, enabled',
    $$user_id || '/' || feature_instance_id$$);
call authz.watch('authz.feature_access_roles', 'access_roles',
    'feature_access_id, role_id', 'feature_access_id');
