package authz.client;

import io.grpc.Status.Code;

/** There was no answer in time. */
public final class DeadlineException extends UndecidedException {
  private static final long serialVersionUID = 1L;

  DeadlineException(String message, String reason) {
    super(message, Code.DEADLINE_EXCEEDED, reason);
  }
}
