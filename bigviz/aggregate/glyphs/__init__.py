"""One loop for each glyph: rows to the cells that they touch."""
