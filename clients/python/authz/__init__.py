"""The API of authz-sidecar."""
