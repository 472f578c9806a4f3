"""Documents as files that need no server."""
