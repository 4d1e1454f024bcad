"""Package authz.v1: generated from proto/authz/v1 by `make gen`."""
