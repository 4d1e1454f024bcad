package authz.client;

/** A member's role in an organization. */
public enum OrgRole {
  ADMIN,
  USER
}
