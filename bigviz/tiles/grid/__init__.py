"""Numbers to roots, levels and tiles."""
