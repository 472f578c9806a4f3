"""The tables of a cluster: what a worker is told to open, and what it has open."""
