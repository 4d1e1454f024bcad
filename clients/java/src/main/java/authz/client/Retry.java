package authz.client;

import java.time.Duration;

/**
 * How often and when a call is made again. Only {@code UNAVAILABLE} is: for anything else the same
 * question gets the same answer, or adds to what is too much already. Every call only reads.
 *
 * @param attempts counts the first one too
 * @param firstWait the wait before the n-th repetition is random between half and all of this,
 *     doubled n - 1 times
 * @param longestWait no wait is longer
 * @param budget bounds repetitions of all calls of a client while a server is away: each takes one
 * @param earned what each call that succeeds gives back to the budget
 */
public record Retry(
    int attempts, Duration firstWait, Duration longestWait, double budget, double earned) {
  /** Four attempts, waits from 20 ms to 500 ms, a budget of 20 and a tenth earned. */
  public static final Retry DEFAULT =
      new Retry(4, Duration.ofMillis(20), Duration.ofMillis(500), 20, 0.1);

  /** Each call is made once. */
  public static final Retry NEVER = new Retry(1, Duration.ZERO, Duration.ZERO, 0, 0);

  /** Checks that there is an attempt, and that nothing is negative. */
  public Retry {
    if (attempts < 1 || firstWait.isNegative() || longestWait.isNegative()) {
      throw new IllegalArgumentException("at least one attempt, and no negative wait");
    }
    if (!(budget >= 0 && earned >= 0)) {
      throw new IllegalArgumentException("the budget and what is earned are not negative");
    }
  }
}
