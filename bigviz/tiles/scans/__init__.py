"""A pass over the source to exact answers, where there is no index."""
