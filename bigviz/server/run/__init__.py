"""Options to a server that listens, loads and stops."""
