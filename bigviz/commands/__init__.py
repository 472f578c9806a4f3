"""The arguments of a command to its work, its output and its exit status."""
