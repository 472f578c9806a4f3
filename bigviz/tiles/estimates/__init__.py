"""A sample of the rows to estimates of tiles and columns, with their error."""
