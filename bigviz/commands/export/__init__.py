"""Documents as files that need no server: what `html` does."""
