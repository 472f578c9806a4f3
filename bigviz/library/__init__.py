"""Documents by name: where a server finds what it serves."""
