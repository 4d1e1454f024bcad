package authz.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import authz.client.Attempts.Budget;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** When a call is made again. */
final class AttemptsTest {
  private static final AuthzException UNAVAILABLE = new UnavailableException("away", "");
  private static final long SECOND = Duration.ofSeconds(1).toNanos();

  private final AtomicLong clock = new AtomicLong();

  private Attempts attempts(Budget budget, long timeout) {
    return new Attempts(budget, timeout, clock::get);
  }

  /** Waits double, are random between half and all, and end after four attempts. */
  @Test
  void waits() {
    Attempts attempts = attempts(new Budget(Retry.DEFAULT), SECOND);
    for (long most = 20_000_000; most <= 80_000_000; most *= 2) {
      long wait = attempts.waitAfter(UNAVAILABLE);

      assertTrue(wait >= most / 2 && wait <= most, "waits " + wait);
    }
    assertEquals(-1, attempts.waitAfter(UNAVAILABLE));
  }

  /** Nothing but UNAVAILABLE is tried again. */
  @Test
  void onlyUnavailable() {
    Budget budget = new Budget(Retry.DEFAULT);

    assertEquals(-1, attempts(budget, SECOND).waitAfter(new OverloadedException("", "")));
    assertEquals(-1, attempts(budget, SECOND).waitAfter(new DeadlineException("", "")));
    assertEquals(-1, attempts(budget, SECOND).waitAfter(new ProtocolException("")));
  }

  /** No wait reaches past the deadline. */
  @Test
  void deadline() {
    Attempts attempts = attempts(new Budget(Retry.DEFAULT), SECOND);
    clock.set(SECOND - 5_000_000);

    assertEquals(-1, attempts.waitAfter(UNAVAILABLE));
    clock.set(SECOND);
    assertTrue(attempts.remaining() <= 0);
  }

  /** All calls share one budget, which successes fill again. */
  @Test
  void budget() {
    Budget budget = new Budget(new Retry(2, Duration.ZERO, Duration.ZERO, 1, 0.5));

    assertTrue(attempts(budget, SECOND).waitAfter(UNAVAILABLE) >= 0);
    assertEquals(-1, attempts(budget, SECOND).waitAfter(UNAVAILABLE));
    attempts(budget, SECOND).succeed();
    assertEquals(-1, attempts(budget, SECOND).waitAfter(UNAVAILABLE));
    attempts(budget, SECOND).succeed();
    assertTrue(attempts(budget, SECOND).waitAfter(UNAVAILABLE) >= 0);
  }

  /** A retry that makes no sense is none. */
  @Test
  void senseless() {
    assertThrows(
        IllegalArgumentException.class, () -> new Retry(0, Duration.ZERO, Duration.ZERO, 1, 1));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Retry(1, Duration.ZERO, Duration.ZERO, Double.NaN, 1));
  }
}
