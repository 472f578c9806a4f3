"""Appended rows to parts of an index, and parts to the answers of one version."""
