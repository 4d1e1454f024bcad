-- The rows of a small platform like GPUStack, as it writes them itself.
insert into public.principals (id, kind, name, parent_principal_id) values
    (1, 'ORG', 'Acme', null),
    (2, 'ORG', 'Globex', null),
    (3, 'GROUP', 'Acme Research', 1),
    (11, 'USER', 'ann', null),
    (12, 'USER', 'bob', null),
    (13, 'USER', 'root', null);

insert into public.users (id, principal_id, username, is_admin, is_system, is_active)
values
    (1, 13, 'root', true, false, true),
    (2, 11, 'ann', false, false, true),
    (3, 12, 'bob', false, false, true);

insert into public.principal_memberships
    (id, member_principal_id, parent_principal_id, role, enabled)
values
    (1, 11, 1, 'ADMIN', true),
    (2, 12, 1, 'USER', true),
    (3, 12, 3, null, true);

insert into public.clusters (id, name, owner_principal_id) values
    (7, 'acme-a100', 1),
    (8, 'globex-h100', 2),
    (9, 'shared-l40', null);

-- Globex lends its cluster to the research group of Acme.
insert into public.cluster_access (id, cluster_id, principal_id) values
    (1, 8, 3),
    (2, 9, 1);

insert into public.workers (id, name, owner_principal_id, cluster_id) values
    (21, 'a100-1', 1, 7),
    (22, 'h100-1', 2, 8);

insert into public.models (id, name, owner_principal_id, cluster_id) values
    (31, 'llama-acme', 1, 7),
    (32, 'llama-globex', 2, 8),
    (33, 'whisper', null, null);

-- The secret is b7e1c0d94f6a4a0e9d52c7aa30f1e88d.
insert into public.api_keys (id, user_id, name, access_key, hashed_secret_key)
values (1, 2, 'laptop', '5f3c9a1e',
    '$argon2id$v=19$m=19456,t=2,p=1$vkWn/K4mjq48sUXoSDClbg$gXGECmAmWEau99SjGht8eLD3DKVigx4sKBaKtSjXITk');
