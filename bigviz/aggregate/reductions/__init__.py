"""Cells and values to planes: what a cell holds."""
