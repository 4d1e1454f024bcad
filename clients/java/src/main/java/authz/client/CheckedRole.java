package authz.client;

import java.util.Objects;
import java.util.Optional;

/** The decision of a role gate. */
public record CheckedRole(Decision decision, String decisionId, Optional<String> revision) {
  /** Nothing is null. */
  public CheckedRole {
    Objects.requireNonNull(decision);
    Objects.requireNonNull(decisionId);
    Objects.requireNonNull(revision);
  }

  /** Whether the caller passes. */
  public boolean allowed() {
    return decision.allowed();
  }

  /**
   * Does nothing when the caller passes.
   *
   * @throws DeniedException they do not
   */
  public void require() {
    decision.require();
  }
}
