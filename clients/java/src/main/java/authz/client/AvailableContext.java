package authz.client;

import java.util.Optional;

/**
 * One tenant as which a caller may act.
 *
 * @param kind what kind of tenant it is
 * @param principalId empty for All mode
 * @param orgRole the role in the organization
 * @param name for people; empty when it is not known
 */
public record AvailableContext(
    ContextKind kind, Optional<String> principalId, Optional<OrgRole> orgRole, String name) {}
