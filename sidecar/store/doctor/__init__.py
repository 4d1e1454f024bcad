"""Looks at a database for everything that the sidecar needs, and changes nothing."""
