package authz.client;

import io.grpc.Status.Code;

/** The answer contradicts itself or the question, or cannot be read. */
public final class ProtocolException extends UndecidedException {
  private static final long serialVersionUID = 1L;

  ProtocolException(String message) {
    super(message, Code.INTERNAL, "");
  }
}
