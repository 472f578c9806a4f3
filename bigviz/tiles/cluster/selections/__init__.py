"""From a region that is drawn over a table on a cluster to what its parts tell of the rows in it."""
