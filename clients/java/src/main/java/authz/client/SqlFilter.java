package authz.client;

import java.util.List;

/**
 * A filter as a SQL condition.
 *
 * @param text in parentheses, or {@code TRUE} or {@code FALSE}; never empty
 * @param parameters in order
 */
public record SqlFilter(String text, List<Parameter> parameters) {
  /** Refuses an empty condition. */
  public SqlFilter {
    parameters = List.copyOf(parameters);
    if (text.isEmpty()) {
      throw new IllegalArgumentException("the SQL condition is empty");
    }
  }

  /** One value, or several for an array parameter; uuids are in canonical form. */
  public sealed interface Parameter {
    /** What JDBC takes: a {@code Long}, a {@code String}, or an array of one of these. */
    Object value();
  }

  /** For an integer column. */
  public record Int64(Long value) implements Parameter {}

  /** For a text column. */
  public record Text(String value) implements Parameter {}

  /** For a uuid column. */
  public record Uuid(String value) implements Parameter {}

  /** For an integer column, several. */
  public record Int64Array(List<Long> values) implements Parameter {
    /** Keeps a copy. */
    public Int64Array {
      values = List.copyOf(values);
    }

    @Override
    public Object value() {
      return values.toArray(Long[]::new);
    }
  }

  /** For a text column, several. */
  public record TextArray(List<String> values) implements Parameter {
    /** Keeps a copy. */
    public TextArray {
      values = List.copyOf(values);
    }

    @Override
    public Object value() {
      return values.toArray(String[]::new);
    }
  }

  /** For a uuid column, several. */
  public record UuidArray(List<String> values) implements Parameter {
    /** Keeps a copy. */
    public UuidArray {
      values = List.copyOf(values);
    }

    @Override
    public Object value() {
      return values.toArray(String[]::new);
    }
  }
}
