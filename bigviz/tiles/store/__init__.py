"""Indexes on disk: one folder for each order of rows, written once, mapped by those who use it."""
