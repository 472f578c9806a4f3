"""A browser's messages to frames."""
