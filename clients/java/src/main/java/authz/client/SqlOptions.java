package authz.client;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * How a filter's SQL is to look.
 *
 * @param placeholders how parameters are written
 * @param columns a column for each field that the filter may need; a needed one that is missing is
 *     refused, never left out
 * @param firstParameter the number of the first parameter, for styles that count
 */
public record SqlOptions(Placeholders placeholders, List<Column> columns, int firstParameter) {
  /** Keeps copies. */
  public SqlOptions {
    Objects.requireNonNull(placeholders);
    columns = List.copyOf(columns);
    if (firstParameter < 0) {
      throw new IllegalArgumentException("the first parameter is not negative");
    }
  }

  /** Without columns yet, and parameters from 1. */
  public static SqlOptions with(Placeholders placeholders) {
    return new SqlOptions(placeholders, List.of(), 1);
  }

  /** The same, with a column such as {@code m.owner_id}. */
  public SqlOptions column(Field field, String column) {
    List<Column> more = new ArrayList<>(columns);
    more.add(new Column(field, column));
    return new SqlOptions(placeholders, more, firstParameter);
  }

  /** The same, with parameters counted from here. */
  public SqlOptions firstParameter(int number) {
    return new SqlOptions(placeholders, columns, number);
  }

  /** The column of a field: one to three plain names joined by dots. */
  public record Column(Field field, String column) {
    /** Nothing is null. */
    public Column {
      Objects.requireNonNull(field);
      Objects.requireNonNull(column);
    }
  }
}
