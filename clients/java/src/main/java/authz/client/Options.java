package authz.client;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * How one question is asked: how fresh its answer is to be, whether it says why, and how long to
 * wait. Values do not change: each method gives a new one.
 */
public final class Options {
  private static final Options NONE = new Options(null, false, false, null);

  private final String revision;
  private final boolean fullyConsistent;
  private final boolean explain;
  private final Duration timeout;

  private Options(String revision, boolean fullyConsistent, boolean explain, Duration timeout) {
    if (revision != null && fullyConsistent) {
      throw new IllegalArgumentException("only one of a revision and fully consistent");
    }
    this.revision = revision;
    this.fullyConsistent = fullyConsistent;
    this.explain = explain;
    this.timeout = timeout;
  }

  /** The quickest answer, in the client's own time. */
  public static Options none() {
    return NONE;
  }

  /** Each fact is at least as fresh as a revision. */
  public Options atLeastAsFresh(String revision) {
    return new Options(Objects.requireNonNull(revision), fullyConsistent, explain, timeout);
  }

  /** All facts are of one snapshot of the database, taken for this call. */
  public Options fullyConsistent() {
    return new Options(revision, true, explain, timeout);
  }

  /** The answer says why; for administrators. */
  public Options explain() {
    return new Options(revision, fullyConsistent, true, timeout);
  }

  /** How long to wait, repetitions included, instead of the client's own time. */
  public Options timeout(Duration timeout) {
    return new Options(revision, fullyConsistent, explain, Objects.requireNonNull(timeout));
  }

  Optional<String> wantedRevision() {
    return Optional.ofNullable(revision);
  }

  boolean isFullyConsistent() {
    return fullyConsistent;
  }

  boolean isExplained() {
    return explain;
  }

  Optional<Duration> wantedTimeout() {
    return Optional.ofNullable(timeout);
  }
}
