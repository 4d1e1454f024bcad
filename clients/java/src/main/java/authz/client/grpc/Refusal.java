package authz.client.grpc;

import authz.client.AuthzException;
import authz.client.DeniedException;
import authz.client.InvalidRequestException;
import authz.client.NotFoundException;
import authz.client.PermissionDeniedException;
import authz.client.UnauthenticatedException;
import authz.client.UnknownRevisionException;
import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusException;
import io.grpc.protobuf.StatusProto;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.CompletionException;

/**
 * With which status a call ends that is not let through. What the caller's request is to blame for
 * is theirs to know; anything else is UNAVAILABLE and says nothing.
 *
 * @param code never OK
 * @param reason the bare name of a reason of the API; empty with UNAVAILABLE
 * @param message for people
 */
record Refusal(Code code, String reason, String message) {
  private static final Logger LOGGER = System.getLogger("authz.client.grpc");

  static Refusal of(Throwable error) {
    Throwable cause = error instanceof CompletionException ? error.getCause() : error;
    if (cause instanceof RefusedException refused) {
      return new Refusal(refused.code(), refused.reason(), refused.getMessage());
    }
    if (cause instanceof DeniedException denied) {
      return new Refusal(codeOf(denied), denied.reason(), denied.getMessage());
    }
    if (cause instanceof AuthzException told && isOfTheCaller(told)) {
      return new Refusal(told.code(), told.reason(), told.getMessage());
    }
    return undecided(cause.toString());
  }

  /** Nobody could decide; why is only logged. */
  static Refusal undecided(String why) {
    LOGGER.log(Level.WARNING, "could not decide: {0}", why);
    return new Refusal(Code.UNAVAILABLE, "", "could not decide");
  }

  /** Ends a call. */
  void end(ServerCall<?, ?> call) {
    com.google.rpc.Status.Builder told =
        com.google.rpc.Status.newBuilder().setCode(code.value()).setMessage(message);
    if (!reason.isEmpty()) {
      ErrorInfo info = ErrorInfo.newBuilder().setReason(reason).setDomain("authz.v1").build();
      told.addDetails(Any.pack(info));
    }
    StatusException status = StatusProto.toStatusException(told.build());
    call.close(status.getStatus(), status.getTrailers());
  }

  /** Ends a call whose method has a defect, as the server itself would. */
  static void broken(ServerCall<?, ?> call, RuntimeException defect) {
    LOGGER.log(Level.ERROR, "the method has a defect", defect);
    try {
      call.close(Status.UNKNOWN, new Metadata());
    } catch (IllegalStateException closed) {
      LOGGER.log(Level.DEBUG, "the call was closed already");
    }
  }

  private static Code codeOf(DeniedException denied) {
    return switch (denied.denial()) {
      case INVALID -> Code.INVALID_ARGUMENT;
      case UNAUTHENTICATED -> Code.UNAUTHENTICATED;
      case FORBIDDEN -> Code.PERMISSION_DENIED;
      case NOT_FOUND -> Code.NOT_FOUND;
    };
  }

  private static boolean isOfTheCaller(AuthzException told) {
    // Without a reason it is not the sidecar that said it; with this one, it is the connection to
    // the sidecar that is refused, whoever the caller is.
    if (told.reason().isEmpty() || told.reason().equals("PEER_NOT_ALLOWED")) {
      return false;
    }
    return told instanceof UnauthenticatedException
        || told instanceof PermissionDeniedException
        || told instanceof NotFoundException
        || (told instanceof InvalidRequestException && !(told instanceof UnknownRevisionException));
  }
}
