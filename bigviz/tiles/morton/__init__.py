"""Rows to Morton order, and a tile or window to ranges of it."""
