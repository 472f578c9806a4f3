"""From a box, a lasso or a range in axis space to the rows in it, and to exact statistics of their columns."""
