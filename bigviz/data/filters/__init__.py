"""The language of filters: conditions on the rows of a table, read, typed and evaluated here and nowhere else."""
