"""From a brush over a table on a cluster to targets that are added up from what its parts' brushes hold."""
