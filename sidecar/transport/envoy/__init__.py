"""Generated from proto-envoy by `make gen`: what Envoy asks and is told."""
