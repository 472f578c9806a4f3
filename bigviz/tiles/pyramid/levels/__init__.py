"""Rows in order to the values that the cells of each level of square tiles have: what their colours are chosen by."""
