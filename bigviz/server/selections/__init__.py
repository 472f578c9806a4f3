"""From a region that a viewer draws to an answer, and to files of the rows in it."""
