package authz.client;

/** What is to be done with an item. */
public enum Operation {
  VIEW,
  READ,
  CREATE,
  UPDATE,
  DELETE
}
