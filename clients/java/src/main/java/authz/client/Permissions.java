package authz.client;

import authz.v1.Permission.PermissionExplanation;
import java.util.Objects;
import java.util.Optional;

/**
 * What roles allow on one item.
 *
 * @param view whether the item may be seen
 * @param read how far reading reaches
 * @param create how far creating reaches
 * @param update how far updating reaches
 * @param delete how far deleting reaches
 * @param explanation why, when asked for
 */
public record Permissions(
    boolean view,
    AccessLevel read,
    AccessLevel create,
    AccessLevel update,
    AccessLevel delete,
    Optional<PermissionExplanation> explanation) {
  /** Nothing is null. */
  public Permissions {
    Objects.requireNonNull(read);
    Objects.requireNonNull(create);
    Objects.requireNonNull(update);
    Objects.requireNonNull(delete);
    Objects.requireNonNull(explanation);
  }

  /** How far an operation reaches; viewing reaches everything or nothing. */
  public AccessLevel level(Operation operation) {
    return switch (operation) {
      case VIEW -> view ? AccessLevel.ALL : AccessLevel.NONE;
      case READ -> read;
      case CREATE -> create;
      case UPDATE -> update;
      case DELETE -> delete;
    };
  }
}
