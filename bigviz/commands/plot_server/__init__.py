"""The commands about a plot server: what is published on it, its users and their tokens."""
