"""Rows in Morton order to an image of any window: placed, or counted without being read."""
