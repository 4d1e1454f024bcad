package authz.client;

/** The kind of a denial, and the HTTP status that fits it. */
public enum Denial {
  INVALID(400),
  UNAUTHENTICATED(401),
  FORBIDDEN(403),
  NOT_FOUND(404);

  private final int httpStatus;

  Denial(int httpStatus) {
    this.httpStatus = httpStatus;
  }

  /** The status for an HTTP response. */
  public int httpStatus() {
    return httpStatus;
  }
}
