package authz.client;

import io.grpc.Status.Code;

/** A decision that was required to allow denies. */
public final class DeniedException extends AuthzException {
  private static final long serialVersionUID = 1L;
  private final Denial denial;
  private final String decisionId;

  DeniedException(Denial denial, String reason, String message, String decisionId) {
    super(message, Code.PERMISSION_DENIED, reason);
    this.denial = denial;
    this.decisionId = decisionId;
  }

  /** The kind of the denial. */
  public Denial denial() {
    return denial;
  }

  /** Names the decision in the sidecar's log. */
  public String decisionId() {
    return decisionId;
  }
}
