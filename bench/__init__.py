"""Measurements, never part of the test suite. `python -m bench --help` lists the cases; docs quote what it prints."""
