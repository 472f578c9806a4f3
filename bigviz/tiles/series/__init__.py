"""A sorted line to a tree of extremes, and an x range to decimated columns."""
