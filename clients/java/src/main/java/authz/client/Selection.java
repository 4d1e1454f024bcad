package authz.client;

import java.util.List;
import java.util.Objects;

/** Which rows may be listed: everything, nothing, or those for which a condition holds. */
public sealed interface Selection {
  /** Every row may be listed. */
  record Everything() implements Selection {}

  /** No row may be listed. */
  record Nothing() implements Selection {}

  /** Rows for which something holds: a closed tree. */
  sealed interface Condition extends Selection {}

  /** Rows for which all of these hold; at least two. */
  record AllOf(List<Condition> conditions) implements Condition {
    /** Refuses fewer than two. */
    public AllOf {
      conditions = several(conditions);
    }
  }

  /** Rows for which any of these holds; at least two. */
  record AnyOf(List<Condition> conditions) implements Condition {
    /** Refuses fewer than two. */
    public AnyOf {
      conditions = several(conditions);
    }
  }

  /** Rows with this value in a field. */
  record Equal(Field field, String value) implements Condition {
    /** Nothing is null. */
    public Equal {
      Objects.requireNonNull(field);
      Objects.requireNonNull(value);
    }
  }

  /** Rows with one of these values in a field; at least one. */
  record In(Field field, List<String> values) implements Condition {
    /** Refuses a comparison with nothing. */
    public In {
      Objects.requireNonNull(field);
      values = List.copyOf(values);
      if (values.isEmpty()) {
        throw new IllegalArgumentException("compares with no value");
      }
    }
  }

  private static List<Condition> several(List<Condition> conditions) {
    if (conditions.size() < 2) {
      throw new IllegalArgumentException("joins fewer than two conditions");
    }
    return List.copyOf(conditions);
  }
}
