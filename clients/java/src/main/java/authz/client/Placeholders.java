package authz.client;

/** How SQL parameters are written. */
public enum Placeholders {
  /** {@code $1}; lists are one array parameter. */
  DOLLAR,
  /** {@code %s}; lists are one array parameter. */
  FORMAT,
  /** {@code ?}, as JDBC; lists are one parameter for each value. */
  QUESTION,
  /** {@code :p1}; lists are one parameter for each value. */
  NAMED
}
