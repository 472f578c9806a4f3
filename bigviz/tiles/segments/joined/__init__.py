"""Rows of all parts as those of one index: the values of each level's cells, from one version to the next."""
