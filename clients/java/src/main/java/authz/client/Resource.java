package authz.client;

import java.util.Objects;
import java.util.Optional;

/**
 * A row.
 *
 * @param kind the kind, as declared in the sidecar's settings
 * @param id the row's id
 * @param attributes what you know of it; without, the sidecar looks it up
 */
public record Resource(String kind, String id, Optional<Attributes> attributes) {
  /** Nothing is null. */
  public Resource {
    Objects.requireNonNull(kind);
    Objects.requireNonNull(id);
    Objects.requireNonNull(attributes);
  }

  /** A row that the sidecar looks up. */
  public static Resource of(String kind, String id) {
    return new Resource(kind, id, Optional.empty());
  }

  /** The same, as you read it. */
  public Resource attributes(Attributes known) {
    return new Resource(kind, id, Optional.of(known));
  }
}
