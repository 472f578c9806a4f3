"""Arrow arrays to numbers that kernels take: axis numbers, values and category codes."""
