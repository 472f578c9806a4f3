"""What is appended to datasets, for those who hear of it: readers of batches, a function of the server, and pages."""
