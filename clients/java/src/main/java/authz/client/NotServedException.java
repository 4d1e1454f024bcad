package authz.client;

import io.grpc.Status.Code;

/** The listener does not serve this call, or not for such a caller. */
public final class NotServedException extends AuthzException {
  private static final long serialVersionUID = 1L;

  NotServedException(String message, String reason) {
    super(message, Code.UNIMPLEMENTED, reason);
  }
}
