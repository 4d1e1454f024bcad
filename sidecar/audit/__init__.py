"""The decision log: what waits, what is masked and cut, and where lines go."""
