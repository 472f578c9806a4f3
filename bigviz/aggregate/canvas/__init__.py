"""Tables in, images out: `Canvas`, which is datashader's, its sides, its tables and its errors."""
