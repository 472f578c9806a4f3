"""A dataset to its series tree on the disk, out of core."""
