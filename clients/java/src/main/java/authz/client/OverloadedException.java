package authz.client;

import io.grpc.Status.Code;

/** Too much is asked at once. */
public final class OverloadedException extends UndecidedException {
  private static final long serialVersionUID = 1L;

  OverloadedException(String message, String reason) {
    super(message, Code.RESOURCE_EXHAUSTED, reason);
  }
}
