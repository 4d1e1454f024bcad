/** Asks authz-sidecar, and fails closed: no error and no answer reads as allowed. */
package authz.client;
