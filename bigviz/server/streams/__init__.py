"""What is appended to datasets, for those who hear of it: readers of batches, and a function of the server."""
