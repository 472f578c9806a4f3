"""A Python script to documents, again whenever its files change."""
