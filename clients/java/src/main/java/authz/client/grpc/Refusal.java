package authz.client.grpc;

import authz.client.AuthzException;
import authz.client.DeniedException;
import authz.client.InvalidRequestException;
import authz.client.NotFoundException;
import authz.client.PermissionDeniedException;
import authz.client.UnauthenticatedException;
import authz.client.UnknownRevisionException;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.CompletionException;

/** With which status a call ends that is not let through. */
final class Refusal {
  private static final Logger LOGGER = System.getLogger("authz.client.grpc");

  private Refusal() {}

  static Status of(Throwable error) {
    Throwable cause = error instanceof CompletionException ? error.getCause() : error;
    if (cause instanceof DeniedException denied) {
      return of(denied).withDescription(denied.getMessage());
    }
    // The sidecar denies this server, not its caller.
    if (cause instanceof AuthzException told && !told.reason().equals("PEER_NOT_ALLOWED")) {
      Status.Code code = statusOf(told);
      if (code != null) {
        return code.toStatus().withDescription(told.getMessage());
      }
    }
    return undecided(String.valueOf(cause));
  }

  /** The status of a call on which nobody could decide; what happened is only logged. */
  static Status undecided(String why) {
    LOGGER.log(Level.WARNING, "could not decide: {0}", why);
    return Status.UNAVAILABLE.withDescription("could not decide");
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

  private static Status of(DeniedException denied) {
    return switch (denied.denial()) {
      case INVALID -> Status.INVALID_ARGUMENT;
      case UNAUTHENTICATED -> Status.UNAUTHENTICATED;
      case FORBIDDEN -> Status.PERMISSION_DENIED;
      case NOT_FOUND -> Status.NOT_FOUND;
    };
  }

  private static Status.Code statusOf(AuthzException told) {
    boolean isOfThisCall =
        told instanceof UnauthenticatedException
            || told instanceof PermissionDeniedException
            || told instanceof NotFoundException
            || (told instanceof InvalidRequestException
                && !(told instanceof UnknownRevisionException));
    // Without a reason it is not the sidecar that said it.
    return isOfThisCall && !told.reason().isEmpty() ? told.code() : null;
  }
}
