"""Rows to a grid of cells, by a glyph and a reduction."""
