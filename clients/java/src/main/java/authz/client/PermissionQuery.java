package authz.client;

import java.util.Objects;
import java.util.Optional;

/**
 * What the caller's roles allow on an item.
 *
 * @param context the area
 * @param item without one only generic rules match
 * @param featureInstanceId the feature instance whose roles count too
 */
public record PermissionQuery(
    RuleContext context, Optional<String> item, Optional<String> featureInstanceId) {
  /** Nothing is null. */
  public PermissionQuery {
    Objects.requireNonNull(context);
    Objects.requireNonNull(item);
    Objects.requireNonNull(featureInstanceId);
  }

  /** The generic rules of an area. */
  public static PermissionQuery of(RuleContext context) {
    return new PermissionQuery(context, Optional.empty(), Optional.empty());
  }

  /** An item in an area. */
  public static PermissionQuery of(RuleContext context, String item) {
    return new PermissionQuery(context, Optional.of(item), Optional.empty());
  }

  /** The same, with the roles held through a feature instance. */
  public PermissionQuery featureInstance(String id) {
    return new PermissionQuery(context, item, Optional.of(id));
  }
}
