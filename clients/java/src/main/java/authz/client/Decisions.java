package authz.client;

import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * One decision for each question, in their order.
 *
 * @param decisions at least one
 * @param decisionId names the answer in the sidecar's log
 * @param revision the answer reflects at least everything up to here
 */
public record Decisions(List<Decision> decisions, String decisionId, Optional<String> revision)
    implements Iterable<Decision> {
  /** Refuses an answer to nothing. */
  public Decisions {
    decisions = List.copyOf(decisions);
    Objects.requireNonNull(decisionId);
    Objects.requireNonNull(revision);
    if (decisions.isEmpty()) {
      throw new IllegalArgumentException("nothing was decided");
    }
  }

  /** The decision on the question with this number, from 0. */
  public Decision get(int index) {
    return decisions.get(index);
  }

  /** Whether every one is allowed. */
  public boolean allAllowed() {
    return !decisions.isEmpty() && decisions.stream().allMatch(Decision::allowed);
  }

  /**
   * Does nothing when all are allowed.
   *
   * @throws DeniedException the first that is denied
   */
  public void require() {
    decisions.forEach(Decision::require);
  }

  @Override
  public Iterator<Decision> iterator() {
    return decisions.iterator();
  }
}
