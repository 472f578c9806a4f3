"""Files that others go on writing to the versions of one table."""
