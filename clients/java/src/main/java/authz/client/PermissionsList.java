package authz.client;

import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** The permissions for each query, in their order. */
public record PermissionsList(
    List<Permissions> permissions, String decisionId, Optional<String> revision)
    implements Iterable<Permissions> {
  /** Keeps a copy. */
  public PermissionsList {
    permissions = List.copyOf(permissions);
    Objects.requireNonNull(decisionId);
    Objects.requireNonNull(revision);
  }

  /** The permissions for the query with this number, from 0. */
  public Permissions get(int index) {
    return permissions.get(index);
  }

  @Override
  public Iterator<Permissions> iterator() {
    return permissions.iterator();
  }
}
