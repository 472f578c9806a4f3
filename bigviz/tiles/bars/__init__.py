"""Columns to bars: the bins of a histogram, counted in a sorted order, and bars by category."""
