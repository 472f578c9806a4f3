"""Rows in an order in which a brush is a few ranges, and what two brushes differ in."""
