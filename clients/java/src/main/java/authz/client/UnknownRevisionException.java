package authz.client;

/** The revision is none of this database's; ask again without. */
public final class UnknownRevisionException extends InvalidRequestException {
  private static final long serialVersionUID = 1L;

  UnknownRevisionException(String message, String reason, String field) {
    super(message, reason, field);
  }
}
