package authz.client;

import java.util.Objects;
import java.util.Optional;

/** Which rows a caller may list; {@code sql} is there when it was asked for. */
public record ListFilter(Selection selection, Optional<SqlFilter> sql, Optional<String> revision) {
  /** Nothing is null. */
  public ListFilter {
    Objects.requireNonNull(selection);
    Objects.requireNonNull(sql);
    Objects.requireNonNull(revision);
  }
}
