"""The cases, one a file: each is a function of a number of rows that yields figures."""
