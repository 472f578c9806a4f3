"""Scripts talk to a plot server: they publish documents, upload tables, and list what is there."""
