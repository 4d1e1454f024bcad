package authz.client;

import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;

/** The attempts of one call until its deadline. Used by one thread at a time. */
final class Attempts {
  private final Budget budget;
  private final LongSupplier clock;
  private final long deadline;
  private int number;

  /** By a clock in nanoseconds. */
  Attempts(Budget budget, long timeoutNanos, LongSupplier clock) {
    this.budget = budget;
    this.clock = clock;
    this.deadline = clock.getAsLong() + timeoutNanos;
  }

  /** Nanoseconds that are left; zero or less when there are none. */
  long remaining() {
    return deadline - clock.getAsLong();
  }

  /** Nanoseconds to wait before the next attempt; negative when there is to be none. */
  long waitAfter(AuthzException error) {
    number++;
    long wait = wait(number);
    boolean again =
        error instanceof UnavailableException
            && number < budget.retry().attempts()
            && wait < remaining()
            && budget.spend();
    return again ? wait : -1;
  }

  /** The call was answered. */
  void succeed() {
    budget.earn();
  }

  private long wait(int number) {
    double doubled = budget.retry().firstWait().toNanos() * Math.pow(2, number - 1);
    double most = Math.min(doubled, budget.retry().longestWait().toNanos());
    return (long) (most * (0.5 + ThreadLocalRandom.current().nextDouble() / 2));
  }

  /** What is left for repetitions, of all calls of one client. */
  static final class Budget {
    private final Retry retry;
    private double left;

    Budget(Retry retry) {
      this.retry = retry;
      this.left = retry.budget();
    }

    Retry retry() {
      return retry;
    }

    synchronized void earn() {
      left = Math.min(left + retry.earned(), retry.budget());
    }

    synchronized boolean spend() {
      if (left < 1) {
        return false;
      }
      left--;
      return true;
    }
  }
}
