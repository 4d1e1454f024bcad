package authz.client;

import java.util.Optional;

/** A tenant context, and the revision that it reflects at least. */
public record ResolvedContext(TenantContext context, Optional<String> revision) {}
