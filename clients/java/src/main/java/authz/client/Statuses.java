package authz.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.grpc.Metadata;
import io.grpc.Status;

/** Which status is thrown as what. */
final class Statuses {
  private static final String DOMAIN = "authz.v1";
  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private Statuses() {}

  /** The exception as which a status is thrown; one that the API never uses is internal. */
  static AuthzException exceptionOf(Status status, Metadata trailers) {
    AuthzException exception = withoutCause(status, trailers);
    if (status.getCause() != null) {
      exception.initCause(status.getCause());
    }
    return exception;
  }

  private static AuthzException withoutCause(Status status, Metadata trailers) {
    Details details = Details.of(trailers);
    String text = status.getDescription() == null ? "" : status.getDescription();
    String reason = details.reason;
    return switch (status.getCode()) {
      case INVALID_ARGUMENT ->
          reason.equals("UNKNOWN_REVISION")
              ? new UnknownRevisionException(text, reason, details.field)
              : new InvalidRequestException(text, reason, details.field);
      case UNAUTHENTICATED -> new UnauthenticatedException(text, reason);
      case PERMISSION_DENIED -> new PermissionDeniedException(text, reason);
      case NOT_FOUND -> new NotFoundException(text, reason);
      case UNIMPLEMENTED -> new NotServedException(text, reason);
      case UNAVAILABLE -> new UnavailableException(text, reason);
      case DEADLINE_EXCEEDED -> new DeadlineException(text, reason);
      case RESOURCE_EXHAUSTED -> new OverloadedException(text, reason);
      default -> new InternalException(text, status.getCode(), reason);
    };
  }

  /** What the trailers say for programs; empty where they cannot be read. */
  private record Details(String reason, String field) {
    static Details of(Metadata trailers) {
      byte[] packed = trailers == null ? null : trailers.get(DETAILS);
      if (packed == null) {
        return new Details("", "");
      }
      String reason = "";
      String field = "";
      try {
        for (Any detail : com.google.rpc.Status.parseFrom(packed).getDetailsList()) {
          if (detail.is(ErrorInfo.class)) {
            ErrorInfo info = detail.unpack(ErrorInfo.class);
            reason = info.getDomain().equals(DOMAIN) ? info.getReason() : "";
          } else if (detail.is(BadRequest.class)) {
            BadRequest bad = detail.unpack(BadRequest.class);
            field = bad.getFieldViolationsCount() > 0 ? bad.getFieldViolations(0).getField() : "";
          }
        }
      } catch (InvalidProtocolBufferException unreadable) {
        return new Details("", "");
      }
      return new Details(reason, field);
    }
  }
}
