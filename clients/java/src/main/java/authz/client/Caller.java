package authz.client;

import java.util.Objects;
import java.util.Optional;

/**
 * Who a question is about. Values do not change: {@link #organization} and {@link #pinnedTo} give
 * new ones. No credential is in the text of one.
 */
public final class Caller {
  private final Identity identity;
  private final String organization;
  private final String pinnedTo;

  private Caller(Identity identity, String organization, String pinnedTo) {
    this.identity = identity;
    this.organization = organization;
    this.pinnedTo = pinnedTo;
  }

  /** A user by id, whom the sidecar believes you. */
  public static Caller user(String userId) {
    return new Caller(new UserId(Objects.requireNonNull(userId)), null, null);
  }

  /** A user by their name at an identity provider, whom the sidecar believes you. */
  public static Caller subject(String issuer, String subject) {
    return new Caller(
        new Subject(Objects.requireNonNull(issuer), Objects.requireNonNull(subject)), null, null);
  }

  /** Whoever owns an API key, which the sidecar checks. */
  public static Caller apiKey(String apiKey) {
    return new Caller(new ApiKey(Objects.requireNonNull(apiKey)), null, null);
  }

  /** Whoever a JWT names, which the sidecar checks. */
  public static Caller accessToken(String accessToken) {
    return new Caller(new AccessToken(Objects.requireNonNull(accessToken)), null, null);
  }

  /**
   * The same, asking to act in an organization: the raw value of {@code X-Organization-Id}. Null
   * and empty both mean that none is requested.
   */
  public Caller organization(String organization) {
    return new Caller(identity, organization, pinnedTo);
  }

  /**
   * The same, pinned to the principal of an API key that you have checked. Only for users and
   * subjects; the sidecar refuses it for credentials.
   */
  public Caller pinnedTo(String principalId) {
    return new Caller(identity, organization, Objects.requireNonNull(principalId));
  }

  Identity identity() {
    return identity;
  }

  Optional<String> organization() {
    return Optional.ofNullable(organization);
  }

  Optional<String> pinnedTo() {
    return Optional.ofNullable(pinnedTo);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Caller caller
        && identity.equals(caller.identity)
        && Objects.equals(organization, caller.organization)
        && Objects.equals(pinnedTo, caller.pinnedTo);
  }

  @Override
  public int hashCode() {
    return Objects.hash(identity, organization, pinnedTo);
  }

  @Override
  public String toString() {
    return "Caller[" + identity + ", organization=" + organization + ", pinnedTo=" + pinnedTo + "]";
  }

  sealed interface Identity permits UserId, Subject, ApiKey, AccessToken {}

  record UserId(String userId) implements Identity {}

  record Subject(String issuer, String subject) implements Identity {}

  record ApiKey(String apiKey) implements Identity {
    @Override
    public String toString() {
      return "ApiKey[hidden]";
    }
  }

  record AccessToken(String accessToken) implements Identity {
    @Override
    public String toString() {
      return "AccessToken[hidden]";
    }
  }
}
