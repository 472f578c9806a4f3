"""A script in a process of its own: its document and tables to the server, the server's calls to its callbacks."""
