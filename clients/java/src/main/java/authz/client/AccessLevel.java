package authz.client;

/** How far an operation reaches, in rising order. */
public enum AccessLevel {
  NONE,
  MY,
  GROUP,
  ALL;

  /** Whether this is at least as far as {@code least}. */
  public boolean reaches(AccessLevel least) {
    return compareTo(least) >= 0;
  }
}
