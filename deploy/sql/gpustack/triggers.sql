-- Which change of the platform's tables drops which facts: the columns that the views
-- read, and nothing else, so that heartbeats and the like say nothing. Run it as the
-- owner of the tables, after every change of views.sql, and after a column was renamed.

call authz.watch('public.principals', 'principal',
    'id, kind, name, parent_principal_id, deleted_at', 'id', 'parent_principal_id');
call authz.watch('public.users', 'user',
    'id, principal_id, is_admin, is_system, is_active, deleted_at', 'id');
call authz.watch('public.principal_memberships', 'member',
    'id, member_principal_id, parent_principal_id, role, enabled, deleted_at',
    'member_principal_id');
call authz.watch('public.cluster_access', 'grants',
    'cluster_id, principal_id, deleted_at', 'principal_id');
call authz.watch('public.api_keys', 'api_key',
    'id, user_id, access_key, hashed_secret_key, owner_principal_id, expires_at,'
    ' deleted_at', 'access_key');
call authz.watch('public.clusters', 'resource', 'id, owner_principal_id, deleted_at',
    $$'cluster/' || id$$);
call authz.watch('public.workers', 'resource',
    'id, owner_principal_id, cluster_id, deleted_at', $$'worker/' || id$$);
call authz.watch('public.models', 'resource',
    'id, owner_principal_id, cluster_id, deleted_at', $$'model/' || id$$);
