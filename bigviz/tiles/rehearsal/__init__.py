"""Warm-up: from a table's column types to kernels that are compiled before a viewer needs them."""
