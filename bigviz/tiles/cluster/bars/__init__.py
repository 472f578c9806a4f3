"""Histograms and bars over the parts of a table that workers hold: what each counts, added up."""
