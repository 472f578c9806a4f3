"""Plots in the cells of notebooks, over the notebook's own channel: no port is opened."""
