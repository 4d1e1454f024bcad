"""The mesh edge: HTTP requests to questions. Knows neither Envoy nor gRPC."""
