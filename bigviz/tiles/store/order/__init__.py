"""A dataset to its order on the disk, out of core."""
