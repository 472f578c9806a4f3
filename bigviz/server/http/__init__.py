"""A request's address and query to a response."""
