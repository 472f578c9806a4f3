"""Turns what a worker has of a tile into bytes, and those of all workers into the tile."""
