"""What a server, its pages and scripts agree on: origins, and the tokens of pages."""
