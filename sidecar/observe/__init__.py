"""What is seen from outside: logs and metrics."""
