"""Files that are there whole or not at all, and disks that take no more."""
