"""From a table to an image: `Canvas`, with the interface of datashader's, and the tables, axes and errors of it."""
