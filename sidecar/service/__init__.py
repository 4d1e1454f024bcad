"""Questions to answers: the use cases over facts."""
