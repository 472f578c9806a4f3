"""Where a library lies: its directory, and the database in it."""
