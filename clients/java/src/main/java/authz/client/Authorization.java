package authz.client;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The verdict on all requirements, and on each in their order.
 *
 * @param decision the verdict
 * @param decisions one for each requirement
 * @param context the tenant context that decided; empty when it did not resolve
 * @param decisionId names the answer in the sidecar's log
 * @param revision the answer reflects at least everything up to here
 */
public record Authorization(
    Decision decision,
    List<Decision> decisions,
    Optional<TenantContext> context,
    String decisionId,
    Optional<String> revision) {
  /** Refuses a verdict that is not that of its decisions. */
  public Authorization {
    decisions = List.copyOf(decisions);
    Objects.requireNonNull(context);
    Objects.requireNonNull(decisionId);
    Objects.requireNonNull(revision);
    boolean all = !decisions.isEmpty() && decisions.stream().allMatch(Decision::allowed);
    if (decision.allowed() != all) {
      throw new IllegalArgumentException("the verdict is not that of the decisions");
    }
  }

  /** Whether all requirements hold. */
  public boolean allowed() {
    return decision.allowed();
  }

  /**
   * Does nothing when all requirements hold.
   *
   * @throws DeniedException one does not
   */
  public void require() {
    decision.require();
  }
}
