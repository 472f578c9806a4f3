"""Rows in spatial order, pyramids, series: answers (layer, tile) and (layer, x range, width). Start at `interface`."""
