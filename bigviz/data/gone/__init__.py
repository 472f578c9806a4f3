"""What is kept of the numbers of rows that are rolled over."""
