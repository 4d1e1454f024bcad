package authz.client;

import java.util.Objects;
import java.util.Optional;

/**
 * An existing row as you read it.
 *
 * @param owner empty only for kinds that carry none; the sidecar refuses it for others
 * @param cluster the cluster to which the row belongs
 */
public record Attributes(Optional<Owner> owner, Optional<String> cluster) {
  /** Nothing is null. */
  public Attributes {
    Objects.requireNonNull(owner);
    Objects.requireNonNull(cluster);
  }

  /** A row with this owner. */
  public static Attributes ownedBy(Owner owner) {
    return new Attributes(Optional.of(owner), Optional.empty());
  }

  /** A row of a kind that carries no owner. */
  public static Attributes withoutOwner() {
    return new Attributes(Optional.empty(), Optional.empty());
  }

  /** The same, in this cluster. */
  public Attributes cluster(String clusterId) {
    return new Attributes(owner, Optional.of(clusterId));
  }
}
