package authz.client;

import authz.v1.DecisionOuterClass.Explanation;
import java.util.Objects;
import java.util.Optional;

/**
 * The answer to one check.
 *
 * @param allowed whether it is allowed
 * @param denial the kind of the denial; empty exactly when it is allowed
 * @param reason the bare name of a reason of the API, such as {@code OWNED}
 * @param message the same for people
 * @param decisionId names the decision in the sidecar's log
 * @param explanation why, when asked for
 */
public record Decision(
    boolean allowed,
    Optional<Denial> denial,
    String reason,
    String message,
    String decisionId,
    Optional<Explanation> explanation) {
  /** Refuses what both allows and denies, or neither. */
  public Decision {
    Objects.requireNonNull(reason);
    Objects.requireNonNull(message);
    Objects.requireNonNull(decisionId);
    Objects.requireNonNull(explanation);
    if (allowed == denial.isPresent()) {
      throw new IllegalArgumentException("a decision allows, or has a denial");
    }
  }

  /**
   * Does nothing when allowed.
   *
   * @throws DeniedException it is denied
   */
  public void require() {
    if (!allowed || denial.isPresent()) {
      throw new DeniedException(denial.orElse(Denial.FORBIDDEN), reason, message, decisionId);
    }
  }
}
