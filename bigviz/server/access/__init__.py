"""A request's host, origin and address to whether it is answered, and on whose account."""
