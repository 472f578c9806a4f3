"""What a plot server keeps: documents, uploaded datasets, and people, in one directory."""
