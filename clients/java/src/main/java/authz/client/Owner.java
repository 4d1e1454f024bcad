package authz.client;

import java.util.Objects;

/** Who owns a row. */
public sealed interface Owner {
  /** A principal owns the row. */
  static Owner principal(String principalId) {
    return new OwnedBy(principalId);
  }

  /** Nobody owns the row. */
  static Owner nobody() {
    return new Unowned();
  }

  /** A principal owns the row. */
  record OwnedBy(String principalId) implements Owner {
    /** The principal is required. */
    public OwnedBy {
      Objects.requireNonNull(principalId);
    }
  }

  /** Nobody owns the row. */
  record Unowned() implements Owner {}
}
