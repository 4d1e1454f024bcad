package authz.client;

import io.grpc.Status.Code;

/** The requested organization does not exist. */
public final class NotFoundException extends AuthzException {
  private static final long serialVersionUID = 1L;

  NotFoundException(String message, String reason) {
    super(message, Code.NOT_FOUND, reason);
  }
}
