"""A line under a brush: its rows by places in the line, and decimated by blocks of a source's order."""
