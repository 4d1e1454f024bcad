package authz.client;

import java.util.Objects;
import java.util.Optional;

/**
 * A row that is to be created.
 *
 * @param kind the kind, as declared in the sidecar's settings
 * @param owner empty only for kinds that carry none; the sidecar refuses it for others
 */
public record NewResource(String kind, Optional<Owner> owner) {
  /** Nothing is null. */
  public NewResource {
    Objects.requireNonNull(kind);
    Objects.requireNonNull(owner);
  }

  /** A row with this owner. */
  public static NewResource of(String kind, Owner owner) {
    return new NewResource(kind, Optional.of(owner));
  }

  /** A row of a kind that carries no owner. */
  public static NewResource withoutOwner(String kind) {
    return new NewResource(kind, Optional.empty());
  }
}
