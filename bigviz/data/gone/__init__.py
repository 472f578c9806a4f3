"""Histograms of the values of rolled-over rows, which outlive them: the roots of a stream go on to hold all rows."""
