"""Appended rows of a line to the line of each version."""
