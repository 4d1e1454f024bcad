package authz.client;

import io.grpc.Status.Code;

/**
 * There is no answer that allows. Whatever is thrown, do not do what was asked about.
 *
 * <pre>
 * AuthzException
 * ├── DeniedException                 decided: no (only `require()` throws it)
 * ├── UndecidedException              could not decide: neither yes nor no
 * │   ├── UnavailableException        no server, or no facts; was tried again
 * │   ├── DeadlineException           no answer in time
 * │   ├── OverloadedException         the server sheds load; not tried again
 * │   ├── InternalException           a defect of the server, or of the way to it
 * │   └── ProtocolException           an answer that no correct server gives
 * ├── InvalidRequestException         the question is malformed
 * │   └── UnknownRevisionException    the revision is of another history
 * ├── UnauthenticatedException        nobody that is known
 * ├── PermissionDeniedException       this caller, or this connection, may not
 * ├── NotFoundException               the requested organization does not exist
 * └── NotServedException              the listener does not serve this call
 * </pre>
 */
public abstract sealed class AuthzException extends RuntimeException
    permits DeniedException,
        UndecidedException,
        InvalidRequestException,
        UnauthenticatedException,
        PermissionDeniedException,
        NotFoundException,
        NotServedException {
  private static final long serialVersionUID = 1L;
  private final Code code;
  private final String reason;

  AuthzException(String message, Code code, String reason) {
    super(message);
    this.code = code;
    this.reason = reason;
  }

  /** The gRPC status. */
  public final Code code() {
    return code;
  }

  /**
   * The bare name of a reason of the API, such as {@code FACTS_UNAVAILABLE}; empty when the error
   * did not come from the sidecar.
   */
  public final String reason() {
    return reason;
  }
}
