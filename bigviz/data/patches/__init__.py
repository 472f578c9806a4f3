"""Rows of a dataset that get other values: which ones, and what is read in their place."""
