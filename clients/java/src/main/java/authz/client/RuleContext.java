package authz.client;

/** The area in which access rules hold. */
public enum RuleContext {
  DATA,
  UI,
  RESOURCE
}
