package authz.client;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A rule to be validated. Values do not change: each method gives a new one. A level that is not
 * set is not sent.
 */
public final class AccessRule {
  private final String roleId;
  private final RuleContext context;
  private final String item;
  private final boolean view;
  private final Map<Operation, AccessLevel> levels;

  private AccessRule(
      String roleId,
      RuleContext context,
      String item,
      boolean view,
      Map<Operation, AccessLevel> levels) {
    this.roleId = Objects.requireNonNull(roleId);
    this.context = Objects.requireNonNull(context);
    this.item = item;
    this.view = view;
    this.levels = levels;
  }

  /** A generic rule of a role that gives nothing. */
  public static AccessRule of(String roleId, RuleContext context) {
    return new AccessRule(roleId, context, null, false, Map.of());
  }

  /** The same for an item. */
  public AccessRule item(String item) {
    return new AccessRule(roleId, context, Objects.requireNonNull(item), view, levels);
  }

  /** The same, with whether the item may be seen. */
  public AccessRule view(boolean view) {
    return new AccessRule(roleId, context, item, view, levels);
  }

  /** The same, with how far reading reaches. */
  public AccessRule read(AccessLevel level) {
    return with(Operation.READ, level);
  }

  /** The same, with how far creating reaches. */
  public AccessRule create(AccessLevel level) {
    return with(Operation.CREATE, level);
  }

  /** The same, with how far updating reaches. */
  public AccessRule update(AccessLevel level) {
    return with(Operation.UPDATE, level);
  }

  /** The same, with how far deleting reaches. */
  public AccessRule delete(AccessLevel level) {
    return with(Operation.DELETE, level);
  }

  String roleId() {
    return roleId;
  }

  RuleContext context() {
    return context;
  }

  Optional<String> item() {
    return Optional.ofNullable(item);
  }

  boolean view() {
    return view;
  }

  Optional<AccessLevel> level(Operation operation) {
    return Optional.ofNullable(levels.get(operation));
  }

  private AccessRule with(Operation operation, AccessLevel level) {
    Map<Operation, AccessLevel> more = new EnumMap<>(Operation.class);
    more.putAll(levels);
    more.put(operation, Objects.requireNonNull(level));
    return new AccessRule(roleId, context, item, view, more);
  }
}
