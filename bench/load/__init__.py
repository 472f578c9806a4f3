"""`python -m bench.load`: many viewers of one server, on loopback."""
