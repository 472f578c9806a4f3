"""A path or a table in memory to Arrow columns."""
