"""Files or tables in memory to one table of rows in order."""
