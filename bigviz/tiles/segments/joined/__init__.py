"""Rows of all parts put into one order, as those of one index are."""
