package authz.client.grpc;

import io.grpc.Status.Code;

/** A call is refused without asking the sidecar. */
final class RefusedException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private final Code code;
  private final String reason;

  RefusedException(Code code, String reason, String message) {
    super(message);
    this.code = code;
    this.reason = reason;
  }

  Code code() {
    return code;
  }

  String reason() {
    return reason;
  }
}
