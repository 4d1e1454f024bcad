package authz.client;

import io.grpc.Status.Code;

/** The context is forbidden, or this connection may not call here. */
public final class PermissionDeniedException extends AuthzException {
  private static final long serialVersionUID = 1L;

  PermissionDeniedException(String message, String reason) {
    super(message, Code.PERMISSION_DENIED, reason);
  }
}
