"""What lies inside a plot's frame: cells, marks and lines as pixels, as the page draws them."""
