package authz.client;

import io.grpc.Status.Code;

/** The question is malformed. */
public sealed class InvalidRequestException extends AuthzException
    permits UnknownRevisionException {
  private static final long serialVersionUID = 1L;
  private final String field;

  InvalidRequestException(String message, String reason, String field) {
    super(message, Code.INVALID_ARGUMENT, reason);
    this.field = field;
  }

  /** The path of the field, such as {@code resources[0].kind}; empty when not known. */
  public final String field() {
    return field;
  }
}
