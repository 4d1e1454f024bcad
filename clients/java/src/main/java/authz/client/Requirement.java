package authz.client;

import java.util.Objects;
import java.util.Optional;

/** One condition of {@code authorize}. */
public sealed interface Requirement {
  /** The resource is visible. */
  static Requirement visible(Resource resource) {
    return new Visible(resource);
  }

  /** The resource is writable, and visible. */
  static Requirement writable(Resource resource) {
    return new Writable(resource, false);
  }

  /** The resource may be created. */
  static Requirement creatable(NewResource resource) {
    return new Creatable(resource);
  }

  /** The caller passes the gate. */
  static Requirement role(RoleGate gate) {
    return new InRole(gate);
  }

  /** The caller's roles show the item. */
  static Requirement viewable(PermissionQuery query) {
    return new Permitted(query, Operation.VIEW, Optional.empty());
  }

  /** The caller's roles allow the operation at least as far as {@code least}. */
  static Requirement permitted(PermissionQuery query, Operation operation, AccessLevel least) {
    return new Permitted(query, operation, Optional.of(least));
  }

  /** The resource is visible. */
  record Visible(Resource resource) implements Requirement {
    /** The resource is required. */
    public Visible {
      Objects.requireNonNull(resource);
    }
  }

  /** The resource is writable; {@code skipVisible} says that visibility was checked already. */
  record Writable(Resource resource, boolean skipVisible) implements Requirement {
    /** The resource is required. */
    public Writable {
      Objects.requireNonNull(resource);
    }
  }

  /** The resource may be created. */
  record Creatable(NewResource resource) implements Requirement {
    /** The resource is required. */
    public Creatable {
      Objects.requireNonNull(resource);
    }
  }

  /** The caller passes the gate. */
  record InRole(RoleGate gate) implements Requirement {
    /** The gate is required. */
    public InRole {
      Objects.requireNonNull(gate);
    }
  }

  /** The caller's roles allow the operation; viewing has no least level, all others have. */
  record Permitted(PermissionQuery query, Operation operation, Optional<AccessLevel> least)
      implements Requirement {
    /** Nothing is null. */
    public Permitted {
      Objects.requireNonNull(query);
      Objects.requireNonNull(operation);
      Objects.requireNonNull(least);
    }
  }
}
