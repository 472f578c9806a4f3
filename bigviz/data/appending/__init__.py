"""Batches of rows to a log on the disk that loses nothing, and from the log to a dataset."""
