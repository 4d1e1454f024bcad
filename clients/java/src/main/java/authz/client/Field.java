package authz.client;

/** A column of your rows that a list filter may need. */
public enum Field {
  OWNER_PRINCIPAL_ID,
  CLUSTER_ID,
  ID,
  CREATED_BY,
  ORGANIZATION_ID
}
