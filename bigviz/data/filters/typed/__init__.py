"""Conditions and values with types: what is evaluated on slices of rows, and asked before any row is read."""
