"""The parts that a table is divided into: which there are, who holds which, and how they move."""
