package authz.client;

import io.grpc.Status.Code;

/** The server failed, or ended the call with a status that it never uses. */
public final class InternalException extends UndecidedException {
  private static final long serialVersionUID = 1L;

  InternalException(String message, Code code, String reason) {
    super(message, code, reason);
  }
}
