"""Pages in one file that pan and zoom without a server."""
