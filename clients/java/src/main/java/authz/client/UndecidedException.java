package authz.client;

import io.grpc.Status.Code;

/** Nobody knows whether it is allowed: do not do what was asked about. */
public sealed class UndecidedException extends AuthzException
    permits UnavailableException,
        DeadlineException,
        OverloadedException,
        InternalException,
        ProtocolException {
  private static final long serialVersionUID = 1L;

  UndecidedException(String message, Code code, String reason) {
    super(message, code, reason);
  }
}
