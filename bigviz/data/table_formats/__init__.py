"""From a table whose log or metadata says which files count (Delta, Iceberg) to these files, and what they lack."""
