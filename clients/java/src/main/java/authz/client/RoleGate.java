package authz.client;

import java.util.List;

/** A condition on the caller alone. */
public sealed interface RoleGate {
  /** The gate that only platform admins pass. */
  static RoleGate platformAdmin() {
    return new PlatformAdmin();
  }

  /** The gate for some roles in the current organization. */
  static RoleGate anyOrgRole(OrgRole... roles) {
    return new AnyOrgRole(List.of(roles));
  }

  /** The gate that only platform admins pass. */
  record PlatformAdmin() implements RoleGate {}

  /** The gate for some roles in the current organization. */
  record AnyOrgRole(List<OrgRole> roles) implements RoleGate {
    /** Keeps a copy. */
    public AnyOrgRole {
      roles = List.copyOf(roles);
    }
  }
}
