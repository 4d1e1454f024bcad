"""An authorization sidecar: tenant contexts and scoped permissions, from memory."""
