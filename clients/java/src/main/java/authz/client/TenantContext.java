package authz.client;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * As which tenant a caller acts.
 *
 * @param userId the user
 * @param isPlatformAdmin whether the user administers the platform
 * @param isSystem whether the user is a service account of the platform
 * @param currentPrincipalId the principal as which the user acts; empty in All mode
 * @param orgRole the role in the current organization
 * @param accessibleClusterIds the clusters granted in this context, sorted
 * @param currentIsPersonalScope whether the user acts as their own principal
 * @param bypass whether every existing resource is visible and writable
 * @param hasOrgContext whether there is a current principal
 * @param writePrincipalId the owner of what the caller creates
 */
public record TenantContext(
    String userId,
    boolean isPlatformAdmin,
    boolean isSystem,
    Optional<String> currentPrincipalId,
    Optional<OrgRole> orgRole,
    List<String> accessibleClusterIds,
    boolean currentIsPersonalScope,
    boolean bypass,
    boolean hasOrgContext,
    Optional<String> writePrincipalId) {
  /** Keeps copies. */
  public TenantContext {
    Objects.requireNonNull(userId);
    Objects.requireNonNull(currentPrincipalId);
    Objects.requireNonNull(orgRole);
    accessibleClusterIds = List.copyOf(accessibleClusterIds);
    Objects.requireNonNull(writePrincipalId);
  }
}
