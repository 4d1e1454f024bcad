package authz.client;

/** What kind of tenant a context is. */
public enum ContextKind {
  PERSONAL,
  ORGANIZATION,
  ALL,
  PINNED
}
