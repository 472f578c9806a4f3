"""Apps, and the sessions of pages, behind several processes: one has them, the others pass on what pages say."""
