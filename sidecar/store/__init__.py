"""Facts out of PostgreSQL, cached, and dropped when they change."""
