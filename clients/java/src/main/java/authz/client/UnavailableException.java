package authz.client;

import io.grpc.Status.Code;

/** The sidecar, or its facts, cannot be reached. */
public final class UnavailableException extends UndecidedException {
  private static final long serialVersionUID = 1L;

  UnavailableException(String message, String reason) {
    super(message, Code.UNAVAILABLE, reason);
  }
}
