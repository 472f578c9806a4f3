"""A document's name to the document: where a server finds what it serves."""
