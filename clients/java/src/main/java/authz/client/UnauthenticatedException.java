package authz.client;

import io.grpc.Status.Code;

/** The credential or the user is not valid. */
public final class UnauthenticatedException extends AuthzException {
  private static final long serialVersionUID = 1L;

  UnauthenticatedException(String message, String reason) {
    super(message, Code.UNAUTHENTICATED, reason);
  }
}
